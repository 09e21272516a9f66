// When two names of a kind of GPU mean the same: the one comparison that plans, promises and
// assignments share, so that what fits on paper also starts. Pure.

package enum GPUType {
    /// Whether a device serves who asks for `wanted`. "NVIDIA T4", "Tesla T4" and "t4" mean the
    /// same; "A100" is also an "A100-SXM4-40GB", but not the other way round.
    package static func isSame(_ wanted: String, _ found: String) -> Bool {
        let own = Set(words(found))
        let words = words(wanted).filter { !makers.contains($0) }
        return !words.isEmpty && words.allSatisfy(own.contains)
    }

    private static let makers: Set = ["nvidia", "tesla", "geforce", "quadro", "amd"]

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
}
