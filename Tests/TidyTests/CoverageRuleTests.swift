// The rules about what must be there, each with what breaks it and what does not.

import Testing

@Suite struct CoverageRuleTests {
    private let logic = "func f() {}\n" + String(repeating: "\n", count: 39)

    private func uncovered(_ texts: [String: String]) -> [String] {
        Rule.testsBesideSources.violations(Repository(texts)).map(\.message)
    }

    @Test func `a pure source without its tests is refused`() {
        let messages = uncovered(["Sources/DataPlane/HTTPWire/Chunk.swift": logic])
        #expect(messages == ["no ChunkTests.swift in Tests/HTTPWireTests"])
    }

    @Test func `tests may stand in a folder of their module only`() {
        let source = "Sources/DataPlane/HTTPWire/Chunk.swift"
        let near = "Tests/HTTPWireTests/Bodies/ChunkTests.swift"
        let far = "Tests/TrafficTests/ChunkTests.swift"
        #expect(uncovered([source: logic, near: ""]).isEmpty)
        #expect(!uncovered([source: logic, far: ""]).isEmpty)
    }

    @Test(arguments: ["PlanTests.swift", "Plan+RulesTests.swift"])
    func `a topic is covered by its own tests or its type's`(name: String) {
        let source = "Sources/Traffic/Plan+Rules.swift"
        #expect(uncovered([source: logic, "Tests/TrafficTests/\(name)": ""]).isEmpty)
    }

    @Test func `values alone and small files need no tests of their own`() {
        let values = "struct A { init() {} }\n" + String(repeating: "\n", count: 200)
        #expect(uncovered(["Sources/Traffic/A.swift": values]).isEmpty)
        #expect(uncovered(["Sources/Traffic/A.swift": "func f() {}\n"]).isEmpty)
    }

    @Test func `a module that grows without written limits is refused`() {
        let source = "Sources/DataPlane/Reactor/Slab.swift"
        let limits = "Sources/DataPlane/Reactor/Limits.swift"
        #expect(Rule.limitsWritten.judge(source, "").map(\.path) == [limits])
        #expect(Rule.limitsWritten.accepts(limits, ""))
    }
}
