// `/v1/watch`: changes as server-sent events. The id of an event is the commit sequence, so a
// client that comes back with its last id misses nothing; when too much has happened since, it is
// told so before the stream begins (410) and lists again.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    /// A comment shows both ends that the other is there.
    static let heartbeat = Duration.seconds(15)
    /// How soon a stream notices that the port closes.
    private static let look = Duration.milliseconds(500)

    private static let watchable: [String: DocumentKind] = [
        "deployment": DocumentKind("deployment"), "replica": DocumentKind("replica"),
        "operation": .operation, "model_version": .modelVersion,
    ]

    func watch(_ call: AdminCall) async throws -> AdminResponse {
        let memory = try needed()
        let kinds = try kinds(call.query.text("kinds"))
        let since = try await position(call, memory.store)
        // Begun here: what cannot be resumed is told with its status.
        var cursor = try await memory.store.watch(kinds, since: since)
        let place = try streams.enter()
        let first = try await cursor.next(within: .zero)
        let position = cursor
        return .events { [self] send in
            defer { place.leave() }
            try await send(": watching since \(since)\n\n")
            var (cursor, changes) = (position, first)
            var quiet = Duration.zero
            while !Task.isCancelled, !isClosing.isRaised {
                if !changes.isEmpty {
                    // Each is told as it is now, and nothing comes after the last to correct it.
                    await memory.control?.settle()
                    guard try await isStillLetIn(call) else { break }
                }
                for text in try await events(changes, call) { try await send(text) }
                quiet = changes.isEmpty ? quiet + Self.look : .zero
                if quiet >= Self.heartbeat {
                    try await send(Self.position(cursor.position))
                    quiet = .zero
                }
                changes = try await cursor.next(within: Self.look)
            }
        }
    }

    /// Streams outlive the moment in which their token was looked at, and may outlive the token:
    /// asked before something is told.
    func isStillLetIn(_ call: AdminCall) async throws -> Bool {
        guard let token = call.token else { return true }
        return try await needed().store.token(token.id)?.isGood(at: date()) ?? false
    }

    private func kinds(_ text: String?) throws(Problem) -> Set<DocumentKind> {
        guard let text, !text.isEmpty else { return Set(Self.watchable.values) }
        var kinds = Set<DocumentKind>()
        for word in text.split(separator: ",") {
            guard let kind = Self.watchable[Spelling.snakeCase(String(word))] else {
                throw Problem(
                    status: 400, code: "INVALID_PARAMETER",
                    detail: "'kinds' has \(Spelling.quoted(String(word))); allowed: "
                        + Self.watchable.keys.sorted().joined(separator: ", "))
            }
            kinds.insert(kind)
        }
        return kinds
    }

    private func position(_ call: AdminCall, _ store: Store) async throws -> UInt64 {
        if let last = call.request.headers["last-event-id"] {
            guard let sequence = UInt64(last) else {
                throw Problem(
                    status: 400, code: "INVALID_PARAMETER",
                    detail: "Last-Event-ID is \(Spelling.quoted(last)); allowed: the id of an event"
                )
            }
            return sequence
        }
        if let since = call.query.whole("since") { return UInt64(since) }
        return try await store.sequence()
    }

    /// What the token may not read is passed over; where the stream is by then is told all the
    /// same, or whoever comes back would have to begin before what it has missed nothing of.
    private func events(_ changes: [DocumentChange], _ call: AdminCall) async throws -> [String] {
        var readable = readable(call)
        var texts: [String] = []
        var isBehind = false
        for change in changes {
            let content = await content(change)
            isBehind = try await !mayRead(content, change, &readable)
            if !isBehind { texts.append(Self.event(change, content)) }
        }
        if isBehind, let last = changes.last { texts.append(Self.position(last.sequence)) }
        return texts
    }

    private func mayRead(
        _ content: WatchedContent, _ change: DocumentChange, _ readable: inout ReadableDeployments
    ) async throws -> Bool {
        guard let deployment = content.deployment else { return true }
        // A deployment says itself where it is, or was when it was changed.
        if content.kind == "deployment",
            let environment = change.document.labels[Self.environmentLabel]
        {
            return readable.mayRead(in: environment)
        }
        return try await readable.mayRead(deployment)
    }

    /// No event for who listens, but the id from which a client that comes back goes on (WHATWG
    /// HTML, 9.2.6).
    private static func position(_ sequence: UInt64) -> String {
        ": \(sequence)\nid: \(sequence)\n\n"
    }

    private static func event(_ change: DocumentChange, _ content: WatchedContent) -> String {
        let data = JSONValue.object([
            "sequence": .count(change.sequence), "change": .string(change.change.word),
            "kind": .string(content.kind), "name": .string(change.key.name),
            "object": content.object,
        ])
        return "id: \(change.sequence)\nevent: \(change.change.word)\ndata: \(data.compact)\n\n"
    }

    private struct WatchedContent {
        var kind: String
        /// Whose environment decides who may see it.
        var deployment: String?
        /// As the API tells it now; nil when it is gone.
        var object: JSONValue?
    }

    private func content(_ change: DocumentChange) async -> WatchedContent {
        let name = change.key.name
        let isGone = change.change == .deleted
        switch change.key.kind.text {
        case "deployment":
            // Gone since: the change that says so comes next.
            let view = isGone ? nil : try? await memory?.control?.view(name)
            return WatchedContent(
                kind: "deployment", deployment: name, object: view.map(deploymentJSON.whole))
        case "operation":
            let operation = isGone ? nil : try? await memory?.control?.operation(name)
            // Whose it was is told by what is left of it.
            let record = try? OperationRecord(change.document)
            return WatchedContent(
                kind: "operation",
                deployment: operation?.deployment ?? record?.target.name ?? name,
                object: operation?.json)
        case "replica":
            let deployment = String(name.prefix { $0 != "/" })
            let replicas = isGone ? nil : try? await memory?.control?.replicas(of: deployment)
            let replica = replicas?.first { name.hasSuffix("/\($0.name)") || name == $0.name }
            return WatchedContent(
                kind: "replica", deployment: deployment,
                object: replica.map(deploymentJSON.replica))
        default:
            return WatchedContent(
                kind: Spelling.snakeCase(change.key.kind.text.replacing("-", with: "_")),
                deployment: nil, object: nil)
        }
    }
}

extension AdminResponse {
    static func events(_ stream: @escaping Stream) -> AdminResponse {
        AdminResponse(
            status: 200,
            headers: [
                "content-type": "text/event-stream", "cache-control": "no-store",
                // A proxy in between must not collect events until it has a page of them.
                "x-accel-buffering": "no",
            ], stream: stream)
    }
}
