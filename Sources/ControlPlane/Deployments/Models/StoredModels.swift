// The registry of one gateway: versions as documents of the store, their files where they lie.
// Digests are taken when a version is registered and again when it is verified, never remembered
// in between: a file can change without a trace.

package import Foundation
import Notation
package import State

extension DocumentKind {
    package static let modelVersion: DocumentKind = "model-version"
}

package struct StoredModels: ModelRegistry {
    private let store: any StateStore
    private let reader = ArtifactReader()

    package init(store: any StateStore) {
        self.store = store
    }

    package func versions(of model: String?) async throws -> [ModelVersion] {
        let prefix = model.map { "\($0)/" } ?? ""
        let documents = try await store.all(DocumentQuery(.modelVersion, prefix: prefix))
        return try documents.map { try $0.spec(as: ModelVersion.self) }.sorted { left, right in
            (left.registeredAt, left.version) > (right.registeredAt, right.version)
        }
    }

    package func version(_ version: String, of model: String) async throws -> ModelVersion {
        if let document = try await store.document(Self.key(model, version)) {
            return try document.spec(as: ModelVersion.self)
        }
        let known = try await versions(of: model).map(\.version)
        throw ModelError.unknown(model: model, version: version, known: known)
    }

    package func register(
        _ draft: ModelVersionDraft, by actor: String, at moment: Date, isDryRun: Bool
    ) async throws -> ModelVersion {
        while true {
            let proposed = try await proposed(draft, by: actor, at: moment)
            if isDryRun || !proposed.isNew { return proposed.version }
            var transaction = Transaction(at: moment, actor: actor)
            try add(proposed, to: &transaction)
            do {
                try await store.commit(transaction)
                return proposed.version
            } catch StateError.exists {
                // Registered meanwhile: compared with that.
                continue
            }
        }
    }

    package func proposed(
        _ draft: ModelVersionDraft, by actor: String, at moment: Date
    ) async throws -> ProposedVersion {
        let artifact = try await artifact(of: draft)
        let version = ModelVersion(
            artifact: artifact, model: draft.model, version: draft.version,
            description: draft.description, defaults: draft.defaults,
            registeredAt: Moment.rounded(moment), registeredBy: actor)
        guard let document = try await store.document(Self.key(draft.model, draft.version)) else {
            return ProposedVersion(version, isNew: true)
        }
        let there = try document.spec(as: ModelVersion.self)
        return ProposedVersion(try compared(version, with: there), isNew: false)
    }

    package func add(_ proposed: ProposedVersion, to transaction: inout Transaction) throws {
        guard proposed.isNew else { return }
        let version = proposed.version
        let key = Self.key(version.model, version.version)
        try transaction.create(key, spec: version, labels: ["model": version.model])
        transaction.audit.append(
            AuditDraft(
                "model_version.register", key,
                detail: ["sha256": version.artifact?.sha256 ?? ""]))
    }

    package func verify(_ artifact: ArtifactRecord) async throws {
        let found = try await reader.digest(of: artifact.path)
        guard found.sha256 == artifact.sha256 else {
            throw ModelError.altered(artifact, found: found.sha256)
        }
    }

    package func remove(
        _ version: String, of model: String, by actor: String, at moment: Date
    ) async throws {
        _ = try await self.version(version, of: model)
        let key = Self.key(model, version)
        var transaction = Transaction(at: moment, actor: actor)
        transaction.delete(key)
        transaction.audit.append(AuditDraft("model_version.remove", key))
        try await store.commit(transaction)
    }

    private func artifact(of draft: ModelVersionDraft) async throws -> ArtifactRecord? {
        guard let path = draft.artifact else { return nil }
        let found = try await reader.digest(of: path)
        if let expected = draft.sha256, expected != found.sha256 {
            throw ModelError.unexpected(path: path, expected: expected, found: found.sha256)
        }
        return ArtifactRecord(
            model: draft.model, version: draft.version, path: path,
            isDirectory: found.isDirectory, sha256: found.sha256, bytes: found.bytes,
            files: found.files)
    }

    /// The same content again is no error, wherever it lies now.
    private func compared(
        _ offered: ModelVersion, with stored: ModelVersion
    ) throws -> ModelVersion {
        let (new, old) = (offered.artifact?.sha256, stored.artifact?.sha256)
        guard new == old else {
            throw ModelError.differs(
                model: stored.model, version: stored.version, registered: old ?? "none",
                found: new ?? "none")
        }
        return stored
    }

    private static func key(_ model: String, _ version: String) -> DocumentKey {
        DocumentKey(.modelVersion, "\(model)/\(version)")
    }
}
