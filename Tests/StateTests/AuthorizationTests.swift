// The table of who may do what, where. Rows are written out: a change of rights is a change here.
// Combinations that are not named must be refused, which the tests by role see to.

import State
import Testing

@Suite struct AuthorizationTests {
    private func may(
        _ role: Role, _ verb: Verb, _ kind: ResourceKind, in environment: String? = nil,
        scope: Set<String>? = nil
    ) -> Bool {
        Authorization(grants: [Grant(role, in: scope)]).allows(verb, kind, in: environment)
    }

    @Test(arguments: ResourceKind.allCases)
    func `an admin may do everything, somebody without grants nothing`(kind: ResourceKind) {
        for verb in Verb.allCases {
            #expect(may(.admin, verb, kind, in: "production"))
            #expect(may(.admin, verb, kind))
            #expect(!Authorization(grants: []).allows(verb, kind))
        }
    }

    @Test func `a viewer reads, but not the trail, the tokens and the secrets`() {
        for kind in ResourceKind.allCases {
            let isClosed = [.audit, .token, .secret].contains(kind)
            #expect(may(.viewer, .read, kind, in: "production") == !isClosed, "\(kind)")
            for verb in Verb.allCases where verb != .read {
                #expect(!may(.viewer, verb, kind, in: "staging"), "\(verb) \(kind)")
            }
        }
    }

    @Test(arguments: [
        (Verb.scale, ResourceKind.deployment, true), (.stop, .deployment, true),
        (.start, .deployment, true), (.restart, .deployment, true),
        (.rollback, .deployment, true), (.rollback, .rollout, true), (.pause, .rollout, true),
        (.abort, .rollout, true), (.shift, .service, true), (.drain, .service, true),
        (.cancel, .operation, true), (.read, .audit, true),
        (.create, .deployment, false), (.update, .deployment, false),
        (.delete, .deployment, false), (.deploy, .deployment, false),
        (.promote, .rollout, false), (.approve, .promotion, false), (.create, .token, false),
        (.read, .token, false), (.read, .secret, false), (.backup, .system, false),
    ])
    func `an operator moves production back, not forward`(
        verb: Verb, kind: ResourceKind, isAllowed: Bool
    ) {
        #expect(may(.operator_, verb, kind, in: "production") == isAllowed)
    }

    @Test(arguments: [
        (Verb.create, ResourceKind.deployment, true), (.deploy, .deployment, true),
        (.scale, .deployment, true), (.promote, .rollout, true), (.update, .secret, true),
        // Names and versions; values are told to nobody.
        (.read, .secret, true), (.create, .token, false), (.approve, .promotion, false),
    ])
    func `an engineer has staging`(verb: Verb, kind: ResourceKind, isAllowed: Bool) {
        #expect(may(.engineer, verb, kind, in: "staging") == isAllowed)
    }

    @Test(arguments: Verb.allCases)
    func `an engineer asks for production and changes nothing there`(verb: Verb) {
        #expect(!may(.engineer, verb, .rollout, in: "production") || verb == .read)
        #expect(!may(.engineer, verb, .deployment, in: "production") || verb == .read)
        let asks: [Verb] = [.read, .request, .create, .cancel]
        #expect(may(.engineer, verb, .promotion, in: "production") == asks.contains(verb))
        // What has no environment may be production's.
        #expect(!may(.engineer, verb, .service) || verb == .read)
    }

    @Test func `an approver decides and does not do`() {
        #expect(may(.approver, .approve, .promotion, in: "production"))
        #expect(may(.approver, .reject, .modelVersion))
        #expect(may(.approver, .read, .audit))
        #expect(!may(.approver, .deploy, .deployment, in: "production"))
        #expect(!may(.approver, .create, .promotion, in: "production"))
        #expect(!may(.approver, .scale, .deployment, in: "staging"))
    }

    @Test func `a grant for some environments ends at their borders`() {
        #expect(may(.operator_, .scale, .deployment, in: "staging", scope: ["staging"]))
        #expect(!may(.operator_, .scale, .deployment, in: "production", scope: ["staging"]))
        #expect(!may(.viewer, .read, .deployment, in: "production", scope: ["staging"]))
        #expect(!may(.operator_, .shift, .service, scope: ["staging"]))
        #expect(may(.operator_, .read, .service, scope: ["staging"]))
        #expect(!may(.admin, .create, .token, scope: ["staging"]))
        #expect(may(.engineer, .create, .modelVersion, scope: ["staging"]))
    }

    @Test func `grants add up`() {
        let both = Authorization(grants: [
            Grant(.viewer), Grant(.operator_, in: ["staging"]),
        ])
        #expect(both.allows(.read, .deployment, in: "production"))
        #expect(both.allows(.scale, .deployment, in: "staging"))
        #expect(!both.allows(.scale, .deployment, in: "production"))
    }

    @Test func `nobody approves what they have asked for`() {
        #expect(!Authorization.mayApprove(requestedBy: "alice", approver: "alice"))
        #expect(Authorization.mayApprove(requestedBy: "alice", approver: "bob"))
    }
}
