// Deployments: what the file says of them, handed to the runner that keeps their replicas alive;
// and what the runner needs to know of the network and of the gate.

import AsyncHTTPClient
import Deployments
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Proxying
import Replicas
import Settings
import State
import Traffic

extension Wiring {
    static func makeRunner(
        _ configuration: Configuration, _ store: Store, _ plane: DataPlane,
        _ director: TrafficDirector
    ) throws -> DeploymentRunner {
        let probe = ReplicaProbe()
        let surroundings = DeploymentRunner.Surroundings(
            drain: configuration.gateway.timeouts.drain,
            probe: { address, path in await probe.isReady(address, path) },
            publish: { services in try await publish(services, director) },
            inFlight: { service, address in inFlight(service, address, in: plane.report()) })
        return DeploymentRunner(
            runtime: try ProcessRuntime(state: store.directory), surroundings: surroundings,
            logger: Logger(label: "penstock.replicas"))
    }

    static func spec(_ spec: DeploymentSpec) -> FleetSpec {
        let revision = RevisionPlan(name: spec.version, weight: 1000, endpoints: [])
        return FleetSpec(
            name: spec.name, model: spec.model, version: spec.version,
            environment: spec.environment.rawValue, command: spec.commandLine,
            artifact: spec.artifact, replicas: spec.scaling.minReplicas,
            variables: spec.variables, healthPath: spec.loadBalancer.healthPath,
            concurrency: spec.concurrency, service: spec.service(revisions: [revision]))
    }

    /// Returns when every loop works by the new plan: then nobody asks a retired replica any more.
    private static func publish(
        _ services: [ServicePlan], _ director: TrafficDirector
    ) async throws {
        try await director.setManaged(services)
        let wanted = await director.currentPlan()?.generation ?? 0
        let deadline = ContinuousClock.now.advanced(by: .seconds(5))
        while await director.generationInForce() < wanted, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private static func inFlight(
        _ service: String, _ address: NetworkAddress, in report: TrafficReport
    ) -> Int? {
        let endpoints = report.services.filter { $0.name == service }
            .flatMap(\.revisions).flatMap(\.endpoints).filter { $0.address == address }
        return endpoints.isEmpty ? nil : endpoints.reduce(0) { $0 + $1.inFlight }
    }
}

/// Asks one replica where it listens, without the gateway in between.
private struct ReplicaProbe: Sendable {
    func isReady(_ address: ReplicaAddress, _ path: String) async -> Bool {
        guard let base = Self.base(address) else { return false }
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "host", value: "localhost")
        request.headers.add(name: "connection", value: "close")
        // No answer is an answer: not ready yet. The supervisor asks again and keeps the reason.
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(1))
        else {
            return false
        }
        return response.status.code == 200
    }

    private static func base(_ address: ReplicaAddress) -> String? {
        switch address {
        case .unix(let path):
            path.addingPercentEncoding(withAllowedCharacters: .alphanumerics).map {
                "http+unix://\($0)"
            }
        case .tcp(let host, let port): "http://\(host):\(port)"
        }
    }
}
