// Reading events, newest first.

import GRDB

extension Store {
    package func events(_ query: EventQuery) async throws -> EventPage {
        let size = max(1, min(query.pageSize, StateLimits.pageSize))
        let identity = [
            "events", query.kind?.text ?? "", query.name ?? "", query.type?.rawValue ?? "",
        ]
        let start = try pageTokens.position(query.pageToken, of: identity)
        guard let id = start.map({ Int64($0.after) }) ?? .max else {
            throw StateError.badPageToken
        }
        var found = try await read {
            try EventTable.page(query, before: id, size: size + 1, in: $0)
        }
        guard found.count > size else { return EventPage(events: found, nextPageToken: nil) }
        found.removeLast()
        let position = PageTokens.Position(sequence: 0, after: "\(found[size - 1].id)")
        return EventPage(
            events: found, nextPageToken: pageTokens.token(position, of: identity))
    }
}
