// The repository itself, held against every rule. What fails here is fixed in the file named, or
// the rule is changed for everybody: there is no list of exemptions.

import Testing

@Suite struct RepositoryTests {
    @Test func `the repository keeps every rule`() throws {
        let repository = try Repository.onDisk()
        #expect(repository.file("Package.swift") != nil)
        for rule in Rule.all {
            let list = rule.violations(repository).map { "  \($0)" }
            let isKept = list.isEmpty
            #expect(isKept, "\(rule.name):\n\(list.joined(separator: "\n"))")
        }
    }

    @Test func `a repository knows its folders`() {
        let repository = Repository(["Sources/Traffic/A.swift": ""], otherPaths: ["docs/x.png"])
        #expect(repository.paths.isSuperset(of: ["Sources", "Sources/Traffic", "docs"]))
    }

    @Test func `a plane's modules are its folders`() {
        let repository = Repository([
            "Sources/DataPlane/Reactor/Poller.swift": "",
            "Sources/DataPlane/Proxying/Routes/RouteTable.swift": "",
        ])
        #expect(repository.modules(of: "DataPlane") == ["Reactor", "Proxying"])
        #expect(repository.modules(of: "ControlPlane").isEmpty)
    }
}
