// Names and quantities as people type them.

import Notation
import Testing

@Suite struct SpellingTests {
    @Test(arguments: [
        ("maxReplicas", "max_replicas"), ("max_replicas", "max_replicas"),
        ("targetCPUUtilization", "target_cpu_utilization"), ("gpuType", "gpu_type"),
    ])
    func `camelCase is the same name`(written: String, name: String) {
        #expect(Spelling.snakeCase(written) == name)
    }

    @Test func `the nearest word is offered only when it is near`() {
        #expect(Spelling.nearest(to: "memry", among: ["memory", "cpu"]) == "memory")
        #expect(Spelling.nearest(to: "zzzzzz", among: ["memory", "cpu"]) == nil)
    }

    @Test func `a long wrong value is cut`() {
        let quoted = Spelling.quoted(String(repeating: "x", count: 1000))
        #expect(quoted.count < 70)
        #expect(Spelling.quoted("a\nb") == "'a b'")
    }

    @Test func `sizes, durations and shares are read with their units`() {
        #expect(Quantity.size("512MiB") == 536_870_912)
        #expect(Quantity.size("1.5GB") == 1_500_000_000)
        #expect(Quantity.size("1.5") == nil)
        #expect(Quantity.duration("1.5s") == .milliseconds(1500))
        #expect(Quantity.duration("5") == nil)
        #expect(Quantity.share("20%") == 0.2)
        #expect(Quantity.thousandths("12.5%") == 125)
    }
}
