// Who may do what, where: a pure table of role, verb and kind of thing, and a rule about scopes.
// The safe direction needs fewer rights than the risky one: an operator may roll production back
// but not forward.

/// What one wants to do.
package enum Verb: String, Sendable, CaseIterable {
    case read, create, update, delete
    case scale, start, stop, restart, drain, shift
    case pause, resume, promote, abort, rollback, cancel
    case deploy, request, approve, reject, revoke
    case replay, verify, export, backup
}

/// What one wants to do it to.
package enum ResourceKind: String, Sendable, CaseIterable {
    case service, deployment, replica, rollout, revision, log, metric
    case model, modelVersion = "model_version", build, artifact, feedback
    case environment, secret, config, promotion, trigger, webhook, delivery
    case alert, alertRule = "alert_rule", silence
    case operation, event, audit, token, node, trustKey = "trust_key", system
}

package struct Authorization: Sendable, Equatable {
    package var grants: [Grant]

    package init(grants: [Grant]) {
        self.grants = grants
    }

    /// Whether any grant allows it.
    ///
    /// - Parameter environment: where the thing is; nil for what belongs to none.
    package func allows(
        _ verb: Verb, _ resource: ResourceKind, in environment: String? = nil
    ) -> Bool {
        grants.contains { $0.allows(verb, resource, in: environment) }
    }

    /// Whether it is allowed in every environment and of what belongs to none.
    package func isUnlimited(_ verb: Verb, _ resource: ResourceKind) -> Bool {
        grants.contains { $0.environments == nil && $0.allows(verb, resource, in: nil) }
    }

    /// Whether a grant says so for the place; nil is the gateway as a whole.
    package func isAdmin(in environment: String? = nil) -> Bool {
        grants.contains { grant in
            guard grant.role == .admin else { return false }
            guard let places = grant.environments else { return true }
            return environment.map(places.contains) ?? false
        }
    }

    /// Somebody else must approve what one has asked for, whatever one's roles.
    package static func mayApprove(requestedBy requester: String, approver: String) -> Bool {
        requester != approver
    }
}

extension Grant {
    fileprivate func allows(
        _ verb: Verb, _ resource: ResourceKind, in environment: String?
    ) -> Bool {
        guard covers(environment, verb: verb, resource: resource) else { return false }
        switch role {
        case .viewer: return Self.mayView(verb, resource)
        case .operator_: return Self.mayOperate(verb, resource)
        case .engineer: return Self.mayEngineer(verb, resource, in: environment)
        case .approver: return Self.mayApprove(verb, resource)
        case .admin: return true
        }
    }

    /// A grant for some environments also reads what belongs to none, if it is not closed, and,
    /// since models are made before anybody knows where they will run, may do with those what its
    /// role may.
    private func covers(_ environment: String?, verb: Verb, resource: ResourceKind) -> Bool {
        guard let environments else { return true }
        if let environment { return environments.contains(environment) }
        return (verb == .read && !Self.closed.contains(resource))
            || Self.shared.contains(resource)
    }

    private static let shared: Set<ResourceKind> = [
        .model, .modelVersion, .build, .artifact, .feedback,
    ]

    /// What only some may even read: the trail of who did what, and who may do what.
    private static let closed: Set<ResourceKind> = [.audit, .token, .secret]

    private static func mayView(_ verb: Verb, _ resource: ResourceKind) -> Bool {
        verb == .read && !closed.contains(resource)
    }

    private static func mayOperate(_ verb: Verb, _ resource: ResourceKind) -> Bool {
        if mayView(verb, resource) { return true }
        switch resource {
        case .deployment: return [.scale, .start, .stop, .restart, .rollback].contains(verb)
        case .replica: return [.restart, .drain].contains(verb)
        case .service: return [.shift, .drain].contains(verb)
        case .rollout: return [.pause, .resume, .abort, .rollback].contains(verb)
        case .operation: return verb == .cancel
        case .alert, .silence: return [.create, .update, .delete].contains(verb)
        case .delivery: return verb == .replay
        case .audit: return [.read, .verify].contains(verb)
        default: return false
        }
    }

    private static func mayEngineer(
        _ verb: Verb, _ resource: ResourceKind, in environment: String?
    ) -> Bool {
        if mayView(verb, resource) { return true }
        let writes: [Verb] = [.create, .update, .delete]
        switch resource {
        case .model, .modelVersion, .build, .artifact, .feedback:
            return writes.contains(verb) || verb == .verify
        case .promotion: return [.request, .create, .cancel].contains(verb)
        default: break
        }
        // Production is asked for, not changed; what belongs to no environment may well be it.
        guard let environment, environment != production else { return false }
        if mayOperate(verb, resource) { return true }
        switch resource {
        case .deployment: return writes.contains(verb) || verb == .deploy
        case .rollout: return verb == .promote
        case .trigger, .alertRule: return writes.contains(verb)
        case .secret: return writes.contains(verb) || verb == .read
        case .config: return writes.contains(verb)
        default: return false
        }
    }

    private static func mayApprove(_ verb: Verb, _ resource: ResourceKind) -> Bool {
        if mayView(verb, resource) || (resource == .audit && verb == .read) { return true }
        let isDecision = verb == .approve || verb == .reject
        return isDecision && [.promotion, .modelVersion, .rollout].contains(resource)
    }

    private static let production = "production"
}
