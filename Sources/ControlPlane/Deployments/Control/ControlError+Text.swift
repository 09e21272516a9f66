// Refusals as sentences, for logs and for whoever has no form to mark fields in.

import Foundation

extension ControlError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let deployment, nil): "there is no deployment '\(deployment)'"
        case .notFound(let deployment, let deletedAt?):
            "deployment '\(deployment)' was deleted at \(deletedAt.formatted(.iso8601))"
        case .nameTaken(let name): "there is a deployment '\(name)' already; names are unique"
        case .invalid(let problems): problems.description
        case .illegal(let action, let status, let hint):
            "'\(action)' is not possible while it is \(status); \(hint)"
        case .busy(let operation):
            "'\(operation.action)' is under way (\(operation.id))"
                + (operation.message.isEmpty ? "" : ": \(operation.message)")
        case .queueFull(let operation, let limit):
            "\(limit) changes wait already for '\(operation.action)' (\(operation.id)) to end"
        case .stale(let expected, let found):
            "it has changed since version \(expected) was read; now it is \(found)"
        case .overtaken(let deployment):
            "'\(deployment)' is changed by others all the time; try again"
        case .doesNotFit(let plan): plan.fit.reasons.joined(separator: "; ")
        case .unknownReplica(let replica, let deployment, let known):
            "'\(deployment)' has no replica '\(replica)'; it has: \(Self.list(known))"
        case .unknownRevision(let number, let deployment, let known):
            "'\(deployment)' has no revision \(number); it has: "
                + Self.list(known.map(String.init))
        case .unknownOperation(let id): "there is no operation '\(id)'"
        case .model(let error): "\(error)"
        case .needsAdmin(let what): "only an admin may ask for \(what)"
        case .needsUpdate(let what): "only who may update it may \(what)"
        case .notSupported(let what, let hint): "\(what) is not supported yet; \(hint)"
        case .readOnly(let reason): "changes cannot be stored now: \(reason)"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
