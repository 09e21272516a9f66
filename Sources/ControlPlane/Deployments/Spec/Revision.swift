// What a deployment ran, and when: a revision is made by every change that needs new replicas, is
// never changed, and says all that is needed to run the same again. Live fields are not in it, so
// that going back never shrinks the fleet.

package import Foundation
package import Notation

package struct Revision: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case create, update, redeploy, config, rollback
    }

    /// Counts from 1 within the deployment.
    package var number: Int
    /// The one it was made from.
    package var parent: Int?
    package var kind: Kind
    package var content: RevisionContent
    /// How it was to take over.
    package var strategy: StrategySpec
    package var createdAt: Date
    package var createdBy: String
    package var reason: String?
    package var rollbackOf: Int?

    package init(
        number: Int, parent: Int? = nil, kind: Kind, content: RevisionContent,
        strategy: StrategySpec, createdAt: Date, createdBy: String, reason: String? = nil,
        rollbackOf: Int? = nil
    ) {
        self.number = number
        self.parent = parent
        self.kind = kind
        self.content = content
        self.strategy = strategy
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.reason = reason
        self.rollbackOf = rollbackOf
    }
}

/// Facts behind names, as they were when the revision was made.
package struct ResolvedFacts: Sendable, Equatable, Codable {
    /// What stood in for `{artifact}`; nil when the command needs none.
    package var artifact: ArtifactRecord?
    /// Of the configs and secrets by version, without their values; nil when there are none.
    package var configDigest: String?
    /// Which versions those are.
    package var pinned: PinnedVariables?

    package init(artifact: ArtifactRecord? = nil, configDigest: String? = nil) {
        self.artifact = artifact
        self.configDigest = configDigest
    }

    mutating func pin(_ variables: PinnedVariables) {
        pinned = variables.isEmpty ? nil : variables
        configDigest = pinned?.digest
    }
}

/// The fields of a spec that make replicas what they are, and the facts behind them.
package struct RevisionContent: Sendable, Equatable {
    /// The fields, all of them, defaults included.
    package let document: JSONValue
    package let facts: ResolvedFacts
    /// SHA-256 of fields and artifact: the same digest runs the same.
    package let digest: String

    package init(of spec: DeploymentSpec, facts: ResolvedFacts = ResolvedFacts()) {
        document = spec.document { $0.belongsToRevision }.sorted
        self.facts = facts
        digest = RevisionContent.digest(of: document, facts)
    }

    /// The spec with this content in place of its own; live fields stay as they are.
    package func applied(to spec: DeploymentSpec) throws(SpecProblems) -> DeploymentSpec {
        let faults = Faults()
        let entries = SpecEntries(document, isPatch: false, faults: faults)
        let own = SpecReader(.stored).read(entries, faults)
        try faults.throwIfAny()
        var result = spec
        for field in DeploymentFields.all where field.belongsToRevision {
            field.copy(from: own, to: &result)
        }
        return result
    }

    private static func digest(of document: JSONValue, _ facts: ResolvedFacts) -> String {
        let whole = JSONValue.object([
            "fields": document, "artifact": facts.artifact.map { .string($0.sha256) },
            "config": facts.configDigest.map(JSONValue.string),
        ])
        return Digest.sha256(whole.canonical)
    }
}

extension RevisionContent: Codable {
    private enum CodingKeys: CodingKey {
        case document, facts, digest
    }

    /// The digest is read, not made again: a later Penstock may know more fields.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        document = try container.decode(JSONValue.self, forKey: .document)
        facts = try container.decode(ResolvedFacts.self, forKey: .facts)
        digest = try container.decode(String.self, forKey: .digest)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(document, forKey: .document)
        try container.encode(facts, forKey: .facts)
        try container.encode(digest, forKey: .digest)
    }
}

extension StrategySpec: Codable {
    /// As the `strategy` object of a document.
    package init(from decoder: any Decoder) throws {
        let value = StrategySpec.effective(try JSONValue(from: decoder))
        let faults = Faults()
        let entries = SpecEntries(.object(["strategy": value]), isPatch: false, faults: faults)
        var spec = DeploymentSpec.blank
        for field in DeploymentFields.strategy {
            guard let entry = entries[field.name] else { continue }
            let place = Place(pointer: entry.pointer, faults: faults, context: .stored)
            field.read(entry.value, at: place, into: &spec)
        }
        try faults.throwIfAny()
        self = spec.strategy
    }

    package func encode(to encoder: any Encoder) throws {
        try document.encode(to: encoder)
    }

    /// What is stored of strategies that could be chosen once and never took effect is left out:
    /// `rolling` is what ran.
    static func effective(_ stored: JSONValue) -> JSONValue {
        .object(
            (stored.members ?? []).filter { member in
                guard member.name == "type" else {
                    return !DeploymentFields.reserved.contains("strategy.\(member.name)")
                }
                return member.value.text.flatMap(Kind.init) != nil
            })
    }

    /// Type and parameters.
    package var document: JSONValue {
        var spec = DeploymentSpec.blank
        spec.strategy = self
        return spec.document { $0.path[0] == "strategy" }["strategy"] ?? .object([])
    }
}
