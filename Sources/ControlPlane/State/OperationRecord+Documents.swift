// Operations as documents, and the steps of their life as parts of a transaction: start, claim,
// save. Who holds a target is told by its marker alone.

package import Foundation

extension OperationRecord {
    package init(
        id: String, kind: String, target: DocumentKey, at: Date, by actor: String,
        request: String? = nil
    ) {
        self.init(
            id: id, kind: kind, target: target, state: .pending, progress: Progress(),
            error: nil, request: request, response: nil, createdAt: Moment.rounded(at),
            createdBy: actor, updatedAt: Moment.rounded(at), finishedAt: nil)
    }

    package static func makeID(
        at date: Date, using generator: inout some RandomNumberGenerator
    ) -> String {
        DocumentID.make(at: date, using: &generator)
    }

    /// - Throws: `StateError.unreadable` for a document of another shape.
    package init(_ document: Document) throws {
        let spec = try document.spec(as: Spec.self)
        let status = try document.status(as: Status.self) ?? Status()
        self.init(
            id: document.name, kind: spec.kind,
            target: DocumentKey(DocumentKind(spec.targetKind), spec.targetName),
            state: status.state, progress: status.progress, error: status.error,
            request: spec.request, response: status.response, createdAt: document.createdAt,
            createdBy: document.createdBy, updatedAt: document.updatedAt,
            finishedAt: status.finishedAt, isActive: status.isActive, version: document.version)
    }

    /// What the work is: does not change once it has begun.
    fileprivate struct Spec: Codable {
        var kind: String
        var targetKind: String
        var targetName: String
        var request: String?
    }

    fileprivate struct Status: Codable {
        var state = State.pending
        var progress = Progress()
        var error: Failure?
        var response: String?
        var finishedAt: Date?
        var isActive = false
    }

    fileprivate var spec: Spec {
        Spec(
            kind: kind, targetKind: target.kind.text, targetName: target.name, request: request)
    }

    fileprivate var status: Status {
        Status(
            state: state, progress: progress, error: error, response: response,
            finishedAt: finishedAt, isActive: isActive)
    }

    /// Lists find operations by these.
    fileprivate var labels: [String: String] {
        ["kind": kind, "target": target.description, "state": state.rawValue]
    }

    /// What marks the target as taken.
    fileprivate var marker: DocumentKey { Self.marker(of: target) }

    fileprivate static func marker(of target: DocumentKey) -> DocumentKey {
        DocumentKey(.activeOperation, target.description)
    }

    /// The error that a marker means to whoever wanted to create it.
    static func blocking(_ marker: Document) -> StateError? {
        guard marker.kind == .activeOperation, let slash = marker.name.firstIndex(of: "/")
        else { return nil }
        let kind = DocumentKind(String(marker.name[..<slash]))
        let name = String(marker.name[marker.name.index(after: slash)...])
        // The marker's spec is the operation's id as a JSON string.
        let id = marker.spec.trimmingCharacters(in: ["\""])
        return .operationActive(target: DocumentKey(kind, name), operation: id)
    }
}

extension Transaction {
    /// Creates the operation, by default as the active one of its target.
    ///
    /// The commit fails with `StateError.operationActive` when there is one. What the commit
    /// returns for the operation's key has the version to go on with.
    package mutating func start(_ operation: inout OperationRecord, claims: Bool = true) throws {
        if claims { try mark(&operation) }
        edits.append(
            .put(
                DocumentDraft(
                    operation.key, .absent, spec: try JSONText.encode(operation.spec),
                    status: try JSONText.encode(operation.status), labels: operation.labels)))
    }

    /// Sets a queued operation running as the active one of its target, with what its request
    /// has come to mean.
    package mutating func claim(_ operation: inout OperationRecord) throws {
        try mark(&operation)
        operation.state = .running
        edits.append(
            .put(
                DocumentDraft(
                    operation.key, .version(operation.version),
                    spec: try JSONText.encode(operation.spec),
                    status: try JSONText.encode(operation.status), labels: operation.labels)))
    }

    /// Stores state and progress; a finished state gives the target free.
    ///
    /// - Parameter condition: nil expects the version that the operation was read at.
    package mutating func save(
        _ operation: inout OperationRecord, _ condition: Condition? = nil
    ) throws {
        if operation.state.isFinished {
            operation.finishedAt = operation.finishedAt ?? Moment.rounded(at)
            // A queued one that is cancelled must not free the target of the one at work.
            if operation.isActive { edits.append(.purge(operation.marker, .any)) }
            operation.isActive = false
        }
        edits.append(
            .put(
                DocumentDraft(
                    operation.key, condition ?? .version(operation.version),
                    status: try JSONText.encode(operation.status), labels: operation.labels)))
    }

    private mutating func mark(_ operation: inout OperationRecord) throws {
        operation.isActive = true
        edits.append(
            .put(
                DocumentDraft(
                    operation.marker, .absent, spec: try JSONText.encode(operation.id))))
    }
}

extension StateStore {
    package func operation(_ id: String) async throws -> OperationRecord? {
        try await document(DocumentKey(.operation, id)).map { try OperationRecord($0) }
    }

    package func activeOperation(of target: DocumentKey) async throws -> OperationRecord? {
        guard let marker = try await document(OperationRecord.marker(of: target)) else {
            return nil
        }
        let id = try marker.spec(as: String.self)
        return try await operation(id)
    }
}
