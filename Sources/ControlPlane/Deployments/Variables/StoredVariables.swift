// Secrets and configs as documents of the store, secrets sealed. Setting a value that is the newest
// already changes nothing, so that whoever applies the same file twice has one version.

package import Foundation
import Notation
package import State

package struct StoredVariables: VariableSource {
    private let store: Store

    package init(store: Store) {
        self.store = store
    }

    package enum Content: Sendable, Equatable {
        case secret(String)
        case config([String: String])

        var kind: VariableKind {
            switch self {
            case .secret: .secret
            case .config: .config
            }
        }
    }

    /// By name.
    package func list(_ kind: VariableKind) async throws -> [VariableRecord] {
        try await store.all(DocumentQuery(kind.document)).map {
            try $0.spec(as: VariableRecord.self)
        }.sorted { $0.name < $1.name }
    }

    package func record(_ kind: VariableKind, _ name: String) async throws -> VariableRecord {
        guard let document = try await store.document(DocumentKey(kind.document, name)) else {
            throw VariableError.unknown(kind, name, known: [])
        }
        return try document.spec(as: VariableRecord.self)
    }

    /// Makes the next version, or the thing itself; nothing when its newest version is the same.
    ///
    /// - Returns: the record, and whether anything was stored.
    package func set(
        _ name: String, _ content: Content, in environment: DeploymentSpec.Environment,
        description: String?, by actor: String, at moment: Date, isDryRun: Bool = false
    ) async throws -> (record: VariableRecord, isNew: Bool) {
        let key = DocumentKey(content.kind.document, name)
        let document = try await store.document(key)
        var record =
            try document?.spec(as: VariableRecord.self)
            ?? VariableRecord(name: name, environment: environment, description: "", versions: [])
        guard record.environment == environment else {
            throw VariableError.elsewhere(content.kind, name, is: record.environment)
        }
        let old = record
        record.description = description ?? record.description
        let fingerprint = try store.fingerprint(Self.text(content))
        if record.newest?.fingerprint != fingerprint {
            let number = (record.newest?.number ?? 0) + 1
            record.versions.append(
                try version(number, content, name, fingerprint, by: actor, at: moment))
            record.versions = Array(record.versions.suffix(Limits.variableVersions))
        }
        guard record != old else { return (record, false) }
        if isDryRun { return (record, true) }
        var transaction = Transaction(at: moment, actor: actor)
        let condition = document.map { Condition.version($0.version) } ?? .absent
        try transaction.put(
            key, condition, spec: record, status: String?.none,
            labels: ["environment": environment.rawValue])
        transaction.audit.append(
            AuditDraft(
                "\(content.kind.rawValue).set", key,
                detail: ["version": "\(record.newest?.number ?? 0)", "fingerprint": fingerprint]))
        try await store.commit(transaction)
        return (record, true)
    }

    package func remove(
        _ kind: VariableKind, _ name: String, by actor: String, at moment: Date
    ) async throws {
        _ = try await record(kind, name)
        let key = DocumentKey(kind.document, name)
        var transaction = Transaction(at: moment, actor: actor)
        // Without a trace of what it held: a tombstone would keep the sealed value for days.
        transaction.edits.append(.purge(key, .present))
        transaction.audit.append(AuditDraft("\(kind.rawValue).remove", key))
        try await store.commit(transaction)
    }

    // MARK: For deployments

    package func pin(_ spec: DeploymentSpec) async throws -> PinnedVariables {
        var (pinned, problems) = (PinnedVariables(), [SpecProblem]())
        for (variable, reference) in spec.secrets.sorted(by: { $0.key < $1.key }) {
            do {
                pinned.secrets[variable] = try await pin(.secret, reference, for: spec)
            } catch let error as VariableError {
                problems.append(Self.problem(error, ["secrets", variable]))
            }
        }
        for (index, reference) in spec.configs.enumerated() {
            do {
                pinned.configs.append(try await pin(.config, reference, for: spec))
            } catch let error as VariableError {
                problems.append(Self.problem(error, ["configs", "\(index)"]))
            }
        }
        guard problems.isEmpty else { throw SpecProblems(problems) }
        return pinned
    }

    package func values(_ pinned: PinnedVariables) async throws -> VariableValues {
        var values = VariableValues()
        for pin in pinned.configs {
            let version = try await version(.config, pin.name, "\(pin.version)").version
            values.variables.merge(version.values ?? [:]) { $1 }
        }
        for (variable, pin) in pinned.secrets {
            let version = try await version(.secret, pin.name, "\(pin.version)").version
            values.secrets[variable] = try store.open(
                version.sealed ?? "", for: Self.context(pin.name, version.number))
        }
        return values
    }

    private func pin(
        _ kind: VariableKind, _ reference: Reference, for spec: DeploymentSpec
    ) async throws -> PinnedVariables.Pin {
        let (record, version) = try await version(kind, reference.name, reference.version)
        guard record.environment == spec.environment else {
            throw VariableError.elsewhere(kind, record.name, is: record.environment)
        }
        return .init(
            name: record.name, version: version.number, fingerprint: version.fingerprint)
    }

    private func version(
        _ kind: VariableKind, _ name: String, _ number: String?
    ) async throws -> (record: VariableRecord, version: VariableVersion) {
        let record = try await record(kind, name)
        let found =
            number == nil
            ? record.newest : record.versions.first { "\($0.number)" == number }
        guard let found else {
            throw VariableError.unknownVersion(
                kind, name, version: number ?? "at all", known: record.versions.map(\.number))
        }
        return (record, found)
    }

    private func version(
        _ number: Int, _ content: Content, _ name: String, _ fingerprint: String,
        by actor: String, at moment: Date
    ) throws -> VariableVersion {
        var version = VariableVersion(
            number: number, createdAt: Moment.rounded(moment), createdBy: actor,
            fingerprint: fingerprint)
        switch content {
        case .secret(let text):
            version.sealed = try store.seal(text, for: Self.context(name, number))
        case .config(let values): version.values = values
        }
        return version
    }

    private static func context(_ name: String, _ number: Int) -> String {
        "secret \(name)#\(number)"
    }

    private static func text(_ content: Content) -> String {
        switch content {
        case .secret(let text): text
        case .config(let values):
            JSONValue.object(
                values.sorted { $0.key < $1.key }.map {
                    .init(name: $0.key, value: .string($0.value))
                }
            ).compact
        }
    }

    private static func problem(_ error: VariableError, _ path: [String]) -> SpecProblem {
        SpecProblem(pointer: JSONPointer(path), code: .invalid, message: "\(error)")
    }
}
