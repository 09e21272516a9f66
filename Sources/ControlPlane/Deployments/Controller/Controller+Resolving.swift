// What a decided change names, looked up: files by digest, secrets and configs by version. It takes
// its time, so it is done before the lane is entered; nothing is stored by it, and what it relies
// on is checked again by the transaction of the change.

import Foundation
import Notation
import Replicas
import State

/// What was found for one decision.
struct ResolvedChange {
    var facts: ResolvedFacts
    /// A version of the model to be registered with the change.
    var version: ProposedVersion?
    /// What must still hold when it is stored.
    var checks: [Transaction.Check] = []

    init(_ facts: ResolvedFacts? = nil) {
        self.facts = facts ?? ResolvedFacts()
    }
}

extension Error {
    /// Worth another look at everything.
    var isWorthAnotherLook: Bool {
        if case .overtaken? = self as? ControlError { return true }
        switch self as? StateError {
        case .stale(let key, _, _), .missing(let key), .exists(let key, _):
            return key.kind == .modelVersion
                || VariableKind.allCases.map(\.document).contains(key.kind)
        default: return false
        }
    }
}

extension Controller {
    func decided(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest
    ) async throws -> (ChangeDecision, ResolvedChange) {
        let decision = try await decide(change, name, asked)
        let resolved = try await resolve(decision, entries[name], asked)
        try check(decision, resolved.facts)
        return (decision, resolved)
    }

    func decide(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest
    ) async throws -> ChangeDecision {
        let deletedAt = entries[name] == nil ? await surroundings.deletedAt(name) : nil
        if entries[name] == nil, await director.isServiceOfFile(name) {
            throw ControlError.nameTaken(name)
        }
        let decider = ChangeDecider(
            entry: entries[name], name: name, asked: asked, deletedAt: deletedAt,
            now: surroundings.now())
        return try decider.decide(change)
    }

    /// Which files the new revision means, by digest, and which versions of secrets and configs.
    private func resolve(
        _ decision: ChangeDecision, _ entry: DeploymentEntry?, _ asked: ChangeRequest
    ) async throws -> ResolvedChange {
        var resolved = try await resolveArtifact(decision, entry, asked)
        guard let revision = decision.revision else { return resolved }
        do {
            let variables = surroundings.variables
            if !revision.isPinned {
                resolved.facts.pin(try await variables.pin(decision.record.spec))
            }
            if let pinned = resolved.facts.pinned {
                resolved.checks = try await variables.conditions(pinned)
            }
        } catch let problems as SpecProblems {
            throw ControlError.invalid(problems)
        }
        return resolved
    }

    private func resolveArtifact(
        _ decision: ChangeDecision, _ entry: DeploymentEntry?, _ asked: ChangeRequest
    ) async throws -> ResolvedChange {
        guard let revision = decision.revision else {
            return ResolvedChange(entry?.wantedRevision?.content.facts)
        }
        if let facts = revision.facts { return ResolvedChange(facts) }
        let spec = decision.record.spec
        guard spec.usesArtifact else { return ResolvedChange() }
        do {
            let registry = surroundings.registry
            if spec.artifact == nil || asked.isDryRun {
                let version = try await registry.version(spec.version, of: spec.model)
                return ResolvedChange(ResolvedFacts(artifact: version.artifact))
            }
            let proposed = try await registry.proposed(
                ModelVersionDraft(
                    model: spec.model, version: spec.version, artifact: spec.artifact),
                by: asked.actor, at: surroundings.now())
            var resolved = ResolvedChange(ResolvedFacts(artifact: proposed.version.artifact))
            resolved.version = proposed
            return resolved
        } catch ModelError.unknown where spec.artifact != nil && asked.isDryRun {
            // The change itself would register it.
            return ResolvedChange()
        } catch let error as ModelError {
            throw ControlError.model(error)
        }
    }

    /// What can be known of a replica before one runs.
    private func check(_ decision: ChangeDecision, _ facts: ResolvedFacts) throws {
        guard decision.revision != nil else { return }
        let spec = decision.record.spec
        var replica = ReplicaSpec(
            name: "\(spec.name)-999999", deployment: spec.name, model: spec.model,
            version: spec.version, command: spec.commandLine,
            artifact: facts.artifact?.path ?? spec.artifact, environment: spec.variables)
        replica.resources = ReplicaResources(spec.resources)
        do {
            try surroundings.runtime.check(replica)
        } catch {
            throw ControlError.invalid(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer(["command"]), code: .invalid, message: "\(error)")
                ]))
        }
    }
}
