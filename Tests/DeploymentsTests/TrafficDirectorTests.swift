// The director: file, deployments and API merged into numbered plans.
// What is refused leaves plan and store as they were.

import Deployments
import State
import Testing
import Traffic

@Suite struct TrafficDirectorTests {
    let gate = RecordingGate()
    let store = ScriptedStore()

    func loaded(patience: Duration = .seconds(5)) async throws -> TrafficDirector {
        let director = Sample.director(gate, store, patience: patience)
        try await director.load(gateway: Sample.gateway, services: [Sample.echo()])
        return director
    }

    @Test func `a load applies the file as it is`() async throws {
        let director = try await loaded()
        #expect(gate.split("echo") == ["stable": 950, "canary": 50])
        #expect(await director.currentPlan()?.generation == 1)
    }

    @Test func `a shift replaces the whole split and returns its generation`() async throws {
        let director = try await loaded()
        let generation = try await director.shift(service: "echo", to: ["canary": 1000])
        #expect(generation == 2)
        #expect(gate.split("echo") == ["stable": 0, "canary": 1000])
    }

    @Test func `a shift is stored before it is applied, with who did it`() async throws {
        let director = try await loaded()
        _ = try await director.shift(
            service: "echo", to: ["stable": 900, "canary": 100], by: "api")
        let transition = try #require(store.transitions.last)
        #expect(transition.generation == 2)
        #expect(transition.changes.map(\.actor) == ["api"])
        #expect(transition.changes.map(\.action) == ["traffic.set"])
    }

    @Test func `an impossible split is refused and nothing is stored`() async throws {
        let director = try await loaded()
        let before = store.transitions
        await #expect(throws: TrafficDirectorError.doesNotSum(service: "echo", thousandths: 999)) {
            try await director.shift(service: "echo", to: ["stable": 999])
        }
        await #expect(
            throws: TrafficDirectorError.outOfRange(
                service: "echo", revision: "canary", thousandths: -1)
        ) {
            try await director.shift(service: "echo", to: ["stable": 1001, "canary": -1])
        }
        await #expect(
            throws: TrafficDirectorError.unknownRevision(
                service: "echo", revision: "canari", known: ["stable", "canary"])
        ) {
            try await director.shift(service: "echo", to: ["canari": 1000])
        }
        await #expect(throws: TrafficDirectorError.unknownService("eco", known: ["echo"])) {
            try await director.shift(service: "eco", to: ["stable": 1000])
        }
        #expect(store.transitions == before)
        #expect(gate.plans.count == 1)
    }

    @Test(arguments: [StateError.full(file: "penstock.db"), .locked(file: "penstock.db")])
    func `a database that fails refuses the change and applies nothing`(
        failure: StateError
    ) async throws {
        let director = try await loaded()
        store.fail(with: failure)
        await #expect(throws: TrafficDirectorError.notStored(reason: "\(failure)")) {
            try await director.shift(service: "echo", to: ["canary": 1000])
        }
        #expect(gate.plans.count == 1)
        #expect(await director.currentPlan()?.generation == 1)
    }

    @Test func `a reload goes through although the disk is full`() async throws {
        let director = try await loaded()
        store.fail(with: .full(file: "penstock.db"))
        try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 500)])
        #expect(gate.split("echo") == ["stable": 500, "canary": 500])
    }

    @Test func `what a reload has outdated is stored later if it cannot be at once`() async throws {
        let director = try await loaded()
        _ = try await director.shift(service: "echo", to: ["canary": 1000])
        store.fail(with: .handingOver)
        try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 500)])
        store.fail(with: nil)
        try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 500)])
        #expect(store.transitions.last?.edits == [.clearSplit(service: "echo")])
        try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 500)])
        #expect(store.transitions.last?.edits == [])
    }

    @Test func `a refused reload leaves everything as it was`() async throws {
        let director = try await loaded()
        _ = try await director.shift(service: "echo", to: ["canary": 1000])
        gate.refuse(
            with: .cannotListen(address: .tcp(host: "::1", port: 80), reason: "in use"))
        await #expect(throws: TrafficPlanError.self) {
            try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 10)])
        }
        gate.refuse(with: nil)
        try await director.setManaged([Sample.managed("iris", ports: 9100)])
        #expect(gate.split("echo") == ["stable": 0, "canary": 1000])
    }

    @Test func `a change that does not reach every loop in time says so`() async throws {
        let director = try await loaded(patience: .zero)
        gate.lag()
        await #expect(throws: TrafficDirectorError.notYetInForce(generation: 2, inForce: 0)) {
            try await director.shift(service: "echo", to: ["canary": 1000])
        }
        #expect(store.transitions.count == 2)
    }

    @Test func `an endpoint is drained and put back`() async throws {
        let director = try await loaded()
        _ = try await director.setDrained(service: "echo", address: "127.0.0.1:9002", true)
        #expect(gate.drained("echo") == ["127.0.0.1:9002"])
        _ = try await director.setDrained(service: "echo", address: "127.0.0.1:9002", false)
        #expect(gate.drained("echo") == [])
        #expect(
            store.transitions.last?.edits == [
                .clearDrain(service: "echo", address: "127.0.0.1:9002")
            ])
    }

    @Test func `an unknown endpoint cannot be drained`() async throws {
        let director = try await loaded()
        await #expect(
            throws: TrafficDirectorError.unknownEndpoint(
                service: "echo", address: "127.0.0.1:1",
                known: ["127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"])
        ) {
            try await director.setDrained(service: "echo", address: "127.0.0.1:1", true)
        }
    }

    @Test func `managed services join those of the file`() async throws {
        let director = try await loaded()
        try await director.setManaged([Sample.managed("iris", ports: 9100)])
        #expect(gate.plans.last?.services.map(\.name) == ["echo", "iris"])
        #expect(await director.managedNames() == ["iris"])
    }

    @Test func `managed services may come before the file`() async throws {
        let director = Sample.director(gate, store)
        try await director.setManaged([Sample.managed("iris", ports: 9100)])
        #expect(gate.plans.isEmpty)
        try await director.load(gateway: Sample.gateway, services: [Sample.echo()])
        #expect(gate.plans.last?.services.map(\.name) == ["echo", "iris"])
    }

    @Test func `an unchanged set of managed services issues no plan`() async throws {
        let director = try await loaded()
        try await director.setManaged([Sample.managed("iris", ports: 9100)])
        try await director.setManaged([Sample.managed("iris", ports: 9100)])
        #expect(gate.plans.count == 2)
    }

    @Test func `a deployment cannot take the name of a service`() async throws {
        let director = try await loaded()
        await #expect(throws: TrafficDirectorError.nameClash(service: "echo")) {
            try await director.setManaged([Sample.managed("echo", ports: 9100)])
        }
        #expect(gate.plans.count == 1)
    }
}
