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
    /// - Returns: the record, and whether it was made.
    package func set(
        _ name: String, _ content: Content, in environment: DeploymentSpec.Environment,
        description: String?, by actor: String, at moment: Date, isDryRun: Bool = false
    ) async throws -> (record: VariableRecord, isMade: Bool) {
        try await untilSettled {
            let found = try await stored(content.kind, name)
            guard found.record?.environment ?? environment == environment else {
                throw VariableError.elsewhere(
                    content.kind, name, is: found.record?.environment ?? environment)
            }
            var record =
                found.record
                ?? VariableRecord(
                    name: name, environment: environment, description: "", versions: [])
            record.description = description ?? record.description
            var transaction = Transaction(at: moment, actor: actor)
            let fingerprint = try store.fingerprint(Self.text(content))
            if record.newest?.fingerprint != fingerprint {
                let number = (record.newest?.number ?? found.numbers.last(of: name)) + 1
                record.versions.append(
                    try version(number, content, name, fingerprint, by: actor, at: moment))
                transaction.checks = try await trim(&record, content.kind)
            }
            guard record != found.record, !isDryRun else { return (record, found.record == nil) }
            if found.record == nil { transaction.checks.append(found.numbersCondition) }
            try transaction.put(
                found.key, found.condition, spec: record, status: String?.none,
                labels: ["environment": environment.rawValue])
            transaction.audit.append(
                AuditDraft(
                    "\(content.kind.rawValue).set", found.key,
                    detail: [
                        "version": "\(record.newest?.number ?? 0)", "fingerprint": fingerprint,
                    ]))
            try await store.commit(transaction)
            return (record, found.record == nil)
        }
    }

    /// - Throws: `VariableError.inUse` while a revision that is kept names one of its versions.
    package func remove(
        _ kind: VariableKind, _ name: String, by actor: String, at moment: Date,
        isDryRun: Bool = false
    ) async throws {
        try await untilSettled {
            var found = try await stored(kind, name)
            guard let record = found.record else {
                throw VariableError.unknown(kind, name, known: [])
            }
            let uses = try await VariableUses(of: kind, name, in: store)
            guard uses.everyone.isEmpty else {
                throw VariableError.inUse(kind, name, users: uses.everyone)
            }
            if isDryRun { return }
            found.numbers.spend(record.newest?.number ?? 0, of: name)
            var transaction = Transaction(at: moment, actor: actor)
            transaction.checks = [uses.condition]
            // Without a trace of what it held: a tombstone would keep the sealed value for days.
            transaction.edits.append(.purge(found.key, found.condition))
            try transaction.put(
                SpentNumbers.key(kind), found.numbersVersion.map { .version($0) } ?? .absent,
                spec: found.numbers)
            transaction.audit.append(AuditDraft("\(kind.rawValue).remove", found.key))
            try await store.commit(transaction)
        }
    }

    /// What is stored of a name, and of the numbers of removed ones.
    private struct Found {
        var key: DocumentKey
        var record: VariableRecord?
        var version: UInt64?
        var numbers: SpentNumbers
        var numbersVersion: UInt64?

        var condition: Condition { version.map { .version($0) } ?? .absent }
        var numbersCondition: Transaction.Check {
            .document(
                SpentNumbers.key(kind), numbersVersion.map { .version($0) } ?? .absent)
        }
        var kind: VariableKind
    }

    private func stored(_ kind: VariableKind, _ name: String) async throws -> Found {
        let key = DocumentKey(kind.document, name)
        let numbers = try await store.document(SpentNumbers.key(kind))
        let document = try await store.document(key)
        return Found(
            key: key, record: try document?.spec(as: VariableRecord.self),
            version: document?.version,
            numbers: try numbers?.spec(as: SpentNumbers.self) ?? SpentNumbers(),
            numbersVersion: numbers?.version, kind: kind)
    }

    /// Again from the start when somebody else was faster.
    private func untilSettled<Value>(_ body: () async throws -> Value) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let error as StateError where error.isOvertaken {
                guard attempt < StateLimits.updateAttempts else { throw error }
                attempt += 1
            }
        }
    }

    /// Lets go of the oldest versions that nobody names, once there are too many.
    ///
    /// - Returns: what must hold for that.
    private func trim(
        _ record: inout VariableRecord, _ kind: VariableKind
    ) async throws -> [Transaction.Check] {
        var bytes = try JSONText.encode(record).utf8.count
        guard record.versions.count > Limits.variableVersions || bytes > Limits.variableBytes
        else { return [] }
        let uses = try await VariableUses(of: kind, record.name, in: store)
        // The newest stays in any case.
        for version in record.versions.dropLast() where !uses.isUsed(version.number) {
            guard record.versions.count > Limits.variableVersions || bytes > Limits.variableBytes
            else { break }
            record.versions.removeAll { $0.number == version.number }
            bytes -= try JSONText.encode(version).utf8.count + 1
        }
        return [uses.condition]
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

    package func conditions(_ pinned: PinnedVariables) async throws -> [Transaction.Check] {
        var (checks, problems) = ([Transaction.Check](), [SpecProblem]())
        for (variable, pin) in pinned.secrets.sorted(by: { $0.key < $1.key }) {
            do {
                checks.append(try await condition(.secret, pin))
            } catch let error as VariableError {
                problems.append(Self.problem(error, ["secrets", variable]))
            }
        }
        for (index, pin) in pinned.configs.enumerated() {
            do {
                checks.append(try await condition(.config, pin))
            } catch let error as VariableError {
                problems.append(Self.problem(error, ["configs", "\(index)"]))
            }
        }
        guard problems.isEmpty else { throw SpecProblems(problems) }
        return checks
    }

    private func condition(
        _ kind: VariableKind, _ pin: PinnedVariables.Pin
    ) async throws -> Transaction.Check {
        let found = try await stored(kind, pin.name)
        _ = try await version(kind, pin)
        return .document(found.key, found.condition)
    }

    package func values(_ pinned: PinnedVariables) async throws -> VariableValues {
        var values = VariableValues()
        for pin in pinned.configs {
            values.variables.merge(try await version(.config, pin).values ?? [:]) { $1 }
        }
        for (variable, pin) in pinned.secrets {
            let version = try await version(.secret, pin)
            values.secrets[variable] = try store.open(
                version.sealed ?? "", for: Self.context(pin.name, version.number))
        }
        return values
    }

    package func secrets(of pinned: [PinnedVariables]) async throws -> Set<String> {
        let pins = Dictionary(grouping: pinned.flatMap(\.secrets.values), by: \.name)
        var secrets: Set<String> = []
        for (name, pins) in pins {
            let record = try await stored(.secret, name).record
            for version in record?.versions ?? []
            where pins.contains(where: {
                $0.version == version.number && $0.fingerprint == version.fingerprint
            }) {
                secrets.insert(
                    try store.open(
                        version.sealed ?? "", for: Self.context(name, version.number)))
            }
        }
        return secrets
    }

    /// The version that was pinned, and no other of its number.
    private func version(
        _ kind: VariableKind, _ pin: PinnedVariables.Pin
    ) async throws -> VariableVersion {
        let found = try await version(kind, pin.name, "\(pin.version)").version
        guard found.fingerprint == pin.fingerprint else {
            throw VariableError.remade(kind, pin.name, version: pin.version)
        }
        return found
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
