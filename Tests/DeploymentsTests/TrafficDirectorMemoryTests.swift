// What the API sets wins over the file, over reloads and restarts, until the file changes its mind.

import Deployments
import Fixtures
import State
import Testing
import Traffic

@Suite struct TrafficDirectorMemoryTests {
    let gate = RecordingGate()
    let scratch = ScratchFolder()

    /// One life of the gateway over the same state directory.
    func life(
        _ services: [ServicePlan], _ body: (TrafficDirector) async throws -> Void = { _ in }
    ) async throws {
        let director = Sample.director(gate, try Store(directory: scratch.url))
        try await director.load(gateway: Sample.gateway, services: services)
        try await body(director)
    }

    @Test func `a shift survives reload and restart`() async throws {
        try await life([Sample.echo()]) { director in
            _ = try await director.shift(service: "echo", to: ["stable": 333, "canary": 667])
            try await director.load(gateway: Sample.gateway, services: [Sample.echo()])
            #expect(gate.split("echo") == ["stable": 333, "canary": 667])
        }
        try await life([Sample.echo()])
        #expect(gate.split("echo") == ["stable": 333, "canary": 667])
    }

    @Test func `generations grow over restarts`() async throws {
        for _ in 1...3 { try await life([Sample.echo()]) }
        #expect(gate.plans.map(\.generation) == [1, 2, 3])
    }

    @Test func `a new split in the file wins over the old shift, for good`() async throws {
        try await life([Sample.echo()]) { director in
            _ = try await director.shift(service: "echo", to: ["canary": 1000])
            try await director.load(gateway: Sample.gateway, services: [Sample.echo(stable: 800)])
            #expect(gate.split("echo") == ["stable": 800, "canary": 200])
        }
        try await life([Sample.echo()])
        #expect(gate.split("echo") == ["stable": 950, "canary": 50])
    }

    @Test func `a change elsewhere in the service keeps the shift`() async throws {
        try await life([Sample.echo()]) { director in
            _ = try await director.shift(service: "echo", to: ["canary": 1000])
            try await director.load(
                gateway: Sample.gateway, services: [Sample.echo(extraEndpoint: 9009)])
        }
        #expect(gate.split("echo") == ["stable": 0, "canary": 1000])
    }

    @Test func `a cleared shift gives way to the file`() async throws {
        try await life([Sample.echo()]) { director in
            _ = try await director.shift(service: "echo", to: ["canary": 1000])
            #expect(await director.override(of: "echo") != nil)
            _ = try await director.clearShift(service: "echo")
            #expect(gate.split("echo") == ["stable": 950, "canary": 50])
            #expect(try await director.clearShift(service: "echo") == 3)
        }
    }

    @Test func `a service that is gone for a while keeps its shift`() async throws {
        try await life([Sample.echo()]) { director in
            _ = try await director.shift(service: "echo", to: ["canary": 1000])
            try await director.load(gateway: Sample.gateway, services: [])
        }
        try await life([Sample.echo()])
        #expect(gate.split("echo") == ["stable": 0, "canary": 1000])
    }

    @Test func `a drain survives restart, and goes when the file drops the endpoint`() async throws
    {
        try await life([Sample.echo(extraEndpoint: 9009)]) { director in
            _ = try await director.setDrained(service: "echo", address: "127.0.0.1:9009", true)
        }
        try await life([Sample.echo(extraEndpoint: 9009)])
        #expect(gate.drained("echo") == ["127.0.0.1:9009"])
        try await life([Sample.echo()])
        try await life([Sample.echo(extraEndpoint: 9009)])
        #expect(gate.drained("echo") == [])
    }

    @Test func `a managed endpoint stays drained while its replica restarts`() async throws {
        try await life([]) { director in
            try await director.setManaged([Sample.managed("iris", ports: 9100, 9101)])
            _ = try await director.setDrained(service: "iris", address: "127.0.0.1:9101", true)
            try await director.setManaged([Sample.managed("iris", ports: 9100)])
            try await director.setManaged([Sample.managed("iris", ports: 9100, 9101)])
            #expect(gate.drained("iris") == ["127.0.0.1:9101"])
        }
    }
}
