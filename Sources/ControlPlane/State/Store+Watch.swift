// Watching: read what the log has after a position; when there is nothing, wait to be woken.

import Foundation
import GRDB

extension Store {
    package func watch(
        _ kinds: Set<DocumentKind>, since sequence: UInt64
    ) async throws -> DocumentWatch {
        let ticket = try hub.ticket()
        let names = kinds.map(\.text).sorted()
        // The first look tells at once whether the changes since are still known.
        _ = try await read { try ChangeLog.page(after: sequence, kinds: names, in: $0) }
        return DocumentWatch(since: sequence) { [self] position, deadline in
            withExtendedLifetime(ticket) {}
            return try await changes(of: kinds, names, after: position, until: deadline)
        }
    }

    private func changes(
        of kinds: Set<DocumentKind>, _ names: [String], after start: UInt64,
        until deadline: ContinuousClock.Instant?
    ) async throws -> (changes: [DocumentChange], position: UInt64) {
        var position = start
        while true {
            if hub.isClosed { throw StateError.closed }
            try Task.checkCancellation()
            let after = position
            let page = try await read {
                try ChangeLog.page(after: after, kinds: names, in: $0)
            }
            position = page.position
            if !page.changes.isEmpty { return (page.changes, position) }
            if let deadline, ContinuousClock.now >= deadline { return ([], position) }
            await hub.wait(for: kinds, after: position, until: deadline)
        }
    }
}
