// Replicas of a deployment: listed, read, and acted upon one by one.

import Deployments
import Notation

extension AdminAPI {
    func listReplicas(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.path("name")
        let listing = try Listing(call.query, pager, question: "replicas of \(name)", of: "Replica")
        let replicas = try await control().replicas(of: name)
        return .json(
            listing.page(
                replicas, as: "replicas", id: { $0.name }, render: deploymentJSON.replica))
    }

    func replica(_ call: AdminCall) async throws -> ReplicaView {
        let deployment = call.path("name")
        let replicas = try await control().replicas(of: deployment)
        guard let replica = replicas.first(where: { $0.name == call.path("replica") }) else {
            throw ControlError.unknownReplica(
                call.path("replica"), deployment: deployment, known: replicas.map(\.name))
        }
        return replica
    }

    func act(
        _ action: ReplicaAction, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        let values = try call.values(AdminRoutes.reasonOnly)
        var asked = try call.change(isDryRun: isDryRun, reason: values[DeploymentVerb.reason])
        prepare(&asked, for: call)
        let receipt = try await control().act(
            action, on: call.path("replica"), of: call.path("name"), asked: asked)
        return try await answer(to: call, receipt, isDryRun: asked.isDryRun)
    }
}
