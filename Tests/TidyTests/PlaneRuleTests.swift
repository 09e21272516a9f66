// The rules about planes and the request's path, each with what breaks it and what does not.

import Testing

@Suite struct PlaneRuleTests {
    /// A repository with one module in each plane, and one more file.
    private func repository(_ path: String, _ text: String) -> Repository {
        Repository([
            "Sources/DataPlane/Reactor/Poller.swift": "",
            "Sources/ControlPlane/State/Store.swift": "", path: text,
        ])
    }

    @Test(arguments: [
        ("DataPlane/Proxying", "State"), ("ControlPlane/Admin", "Reactor"),
    ])
    func `a plane that imports the other is refused`(folder: String, module: String) {
        let text = "import Traffic\npackage import struct \(module).Thing\n"
        let violations = Rule.planesApart.violations(repository("Sources/\(folder)/A.swift", text))
        #expect(violations.map(\.line) == [2])
    }

    @Test func `a plane may import itself and the gate`() {
        let sample = repository(
            "Sources/DataPlane/Proxying/A.swift", "import Reactor\nimport Traffic // not State")
        #expect(Rule.planesApart.violations(sample).isEmpty)
    }

    @Test func `Foundation stays out of the data plane`() {
        let text = "internal import Foundation\n"
        #expect(!Rule.noFoundation.accepts("Sources/DataPlane/Reactor/A.swift", text))
        #expect(!Rule.noFoundation.accepts("Sources/Traffic/A.swift", text))
        #expect(Rule.noFoundation.accepts("Sources/ControlPlane/State/A.swift", text))
    }

    @Test func `only a Wiring file sees both planes`() {
        let both = "import Reactor\nimport State\n"
        let rule = Rule.planesMeetInWiring
        #expect(!rule.violations(repository("Sources/penstock/Serve.swift", both)).isEmpty)
        #expect(rule.violations(repository("Sources/penstock/Wiring.swift", both)).isEmpty)
        #expect(rule.violations(repository("Sources/penstock/A.swift", "import State")).isEmpty)
    }

    @Test(arguments: ["await x()", "func f() async {}", "Task { }", "actor A {}"])
    func `suspension in the data plane is refused`(text: String) {
        #expect(!Rule.noSuspension.accepts("Sources/DataPlane/Proxying/A.swift", text))
        #expect(Rule.noSuspension.accepts("Sources/ControlPlane/Admin/A.swift", text))
    }

    @Test(arguments: [
        "ContinuousClock().now", "clock_gettime(CLOCK_MONOTONIC, &t)", "Int.random(in: 0..<9)",
        "list.shuffled()",
    ])
    func `a pure module that fetches time or chance is refused`(text: String) {
        #expect(!Rule.purity.accepts("Sources/DataPlane/Balancing/A.swift", text))
        #expect(Rule.purity.accepts("Sources/DataPlane/Reactor/A.swift", text))
    }

    @Test(arguments: [
        "Int.random(\n    in: 0..<9, using: &g)", "list.shuffled(using: &g)", "let random = 3",
    ])
    func `chance from an argument is fine`(text: String) {
        #expect(Rule.purity.accepts("Sources/DataPlane/Balancing/A.swift", text))
    }

    @Test(arguments: [
        "Sources/DataPlane/Reactor/Slab.swift", "Sources/Traffic/SharedMeter.swift",
        "Sources/ControlPlane/Replicas/ProcessRuntime+Spawn.swift",
    ])
    func `unsafe has its places`(path: String) {
        #expect(Rule.unsafePlaces.accepts(path, "unsafe pointer.pointee"))
    }

    @Test(arguments: [
        "Sources/Traffic/TrafficPlan.swift", "Sources/DataPlane/Balancing/Maglev.swift",
        "Sources/ControlPlane/Admin/Server.swift",
    ])
    func `unsafe elsewhere is refused`(path: String) {
        #expect(!Rule.unsafePlaces.accepts(path, "let x = unsafe pointer.pointee"))
        #expect(Rule.unsafePlaces.accepts(path, "unsafeAddress // unsafe"))
    }
}
