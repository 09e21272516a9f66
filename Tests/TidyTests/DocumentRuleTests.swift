// The rules about documents, each with what breaks it and what does not.

import Testing

@Suite struct DocumentRuleTests {
    private func deadLinks(in text: String, at path: String = "docs/a.md") -> [Violation] {
        Rule.linksAlive.violations(Repository(["README.md": "", "docs/b.md": "", path: text]))
    }

    @Test(arguments: [
        "[b](b.md)", "[b](./b.md#part)", "[up](../README.md)", "[folder](../docs/)",
        "[here](#part)", "[out](https://example.com/x.md)", "![](b.md)", "`[code](none.md)`",
        "[root](/README.md)",
        "```\n[code](none.md)\n```",
    ])
    func `a link that leads somewhere is fine`(text: String) {
        #expect(deadLinks(in: text).isEmpty)
    }

    @Test(arguments: ["[x](none.md)", "[b](b.md), [x](../docs/none.md#b)", "[up](../../README.md)"])
    func `a link that leads nowhere is refused`(text: String) {
        #expect(deadLinks(in: "\n" + text).map(\.line) == [2])
    }

    private let package = """
        targets: [
            .target(name: "Traffic", swiftSettings: hot),
            .target(
                name: "Reactor", dependencies: ["CLinux"]),
            .executableTarget(
                name: "penstock", dependencies: [.product(name: "Logging", package: "swift-log")]),
            .testTarget(name: "TrafficTests", dependencies: ["Traffic"]),
            .testTarget(
                name: "ReactorTests"),
        ]
        """

    @Test func `a target without a row is named`() {
        let map = "| target | does |\n| --- | --- |\n| `Traffic` | values |\n| `penstock` | all |\n"
        let sample = Repository(["Package.swift": package, "ARCHITECTURE.md": map])
        let messages = Rule.targetsDescribed.violations(sample).map(\.message)
        #expect(messages == ["no row for target 'Reactor'"])
    }

    @Test func `a mention outside the first cell is not a row`() {
        let map = "| `penstock` | uses `Traffic` |\n`Traffic`\n| `Reactor` | loops |\n"
        let sample = Repository(["Package.swift": package, "ARCHITECTURE.md": map])
        let messages = Rule.targetsDescribed.violations(sample).map(\.message)
        #expect(messages == ["no row for target 'Traffic'"])
    }
}
