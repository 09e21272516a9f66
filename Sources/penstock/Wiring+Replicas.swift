// Deployments: what the file says of them, handed to the runner that keeps their replicas alive.

import Deployments
import Settings

/// Until replicas can be run, a configuration that asks for them is refused.
struct DeploymentRunner: Sendable {
    func check(_ deployments: [DeploymentSettings]) throws {
        guard let first = deployments.first else { return }
        throw Failure(.error, "deployments: '\(first.name)': deployments are not supported yet")
    }

    func apply(_ deployments: [DeploymentSettings]) async throws {
        try check(deployments)
    }

    func stop() async {}
    func stopAtOnce() async {}
}

extension Wiring {
    static func makeRunner(
        _ configuration: Configuration, _ director: TrafficDirector
    ) -> DeploymentRunner {
        DeploymentRunner()
    }

    static func deployment(_ settings: DeploymentSettings) -> DeploymentSettings { settings }
}
