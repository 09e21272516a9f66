// Names of one kind of GPU: by what they say, not by their maker.

import Notation
import Testing

@Suite struct GPUTypeTests {
    @Test(arguments: [
        ("NVIDIA T4", "Tesla T4", true), ("Tesla T4", "Tesla T4", true), ("t4", "Tesla T4", true),
        ("T40", "Tesla T4", false), ("A100", "Tesla T4", false), ("NVIDIA", "Tesla T4", false),
        ("", "Tesla T4", false), ("T4", "NVIDIA T4", true), ("nvidia-t4", "Tesla T4", true),
        ("A100", "NVIDIA A100-SXM4-80GB", true), ("A100-SXM4-80GB", "NVIDIA A100", false),
        ("RTX 3090", "NVIDIA GeForce RTX 3090", true), ("T4", "NVIDIA T400", false),
    ])
    func `types are compared by what they say, not by their maker`(
        wanted: String, found: String, fits: Bool
    ) {
        #expect(GPUType.isSame(wanted, found) == fits)
    }
}
