// In which environment things are, also those that are gone: what a token may read does not widen
// or narrow when a deployment is deleted, because what is left of it says where it was.

import Deployments
import State

extension AdminAPI {
    /// Nil for a name that no deployment has or had.
    func environment(ofDeployment name: String) async throws -> String? {
        do {
            return try await control().view(name).spec.environment.rawValue
        } catch is ControlError {
            let key = DocumentKey(DocumentKind("deployment"), name)
            return try await needed().store.tombstone(key)?.labels[Self.environmentLabel]
        }
    }

    static let environmentLabel = "environment"

    func readable(_ call: AdminCall) -> ReadableDeployments {
        ReadableDeployments(authorization: call.authorization, api: self)
    }

    /// Whoever may do it nowhere does not learn what is there.
    func requireSomewhere(
        _ verb: Verb, _ resource: ResourceKind, _ call: AdminCall
    ) throws(Problem) {
        let mayAnywhere = DeploymentSpec.Environment.allCases.contains { environment in
            call.authorization.allows(verb, resource, in: environment.rawValue)
        }
        if !mayAnywhere { try call.require(verb, resource, in: nil) }
    }
}

/// Which deployments' things a token may read; each is asked for once.
struct ReadableDeployments: Sendable {
    let authorization: Authorization
    let api: AdminAPI
    private var known: [String: Bool] = [:]

    init(authorization: Authorization, api: AdminAPI) {
        self.authorization = authorization
        self.api = api
    }

    func mayRead(in environment: String) -> Bool {
        authorization.allows(.read, .deployment, in: environment)
    }

    mutating func mayRead(_ name: String) async throws -> Bool {
        if let answer = known[name] { return answer }
        let environment = try await api.environment(ofDeployment: name)
        // Of what never was, only those hear who may read everything.
        let answer = environment.map(mayRead(in:)) ?? authorization.isUnlimited(.read, .deployment)
        known[name] = answer
        return answer
    }
}
