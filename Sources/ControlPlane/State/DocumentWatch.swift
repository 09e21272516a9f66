// The changes of documents as a sequence: first those that were made since a number, then each new
// one. It is a cursor in the store's log of changes and buffers one read of it, so whoever stops
// asking holds nothing up; one that falls behind the log is told so and lists again.

package struct DocumentWatch: AsyncSequence, AsyncIteratorProtocol, Sendable {
    /// Some changes after a position, and the position they reach; none when none came in time.
    package typealias Reader =
        @Sendable (_ after: UInt64, _ deadline: ContinuousClock.Instant?) async throws -> (
            changes: [DocumentChange], position: UInt64
        )

    /// Everything up to here was handed out or does not concern this watch. Another watch since
    /// here goes on where this one is.
    package private(set) var position: UInt64

    /// Read and not handed out yet, in order.
    private var pending: ArraySlice<DocumentChange> = []
    /// Where the position is once `pending` is empty.
    private var readTo: UInt64
    private let reader: Reader

    package init(since position: UInt64, reader: @escaping Reader) {
        self.position = position
        readTo = position
        self.reader = reader
    }

    package func makeAsyncIterator() -> DocumentWatch { self }

    /// The next change; waits for it.
    ///
    /// - Throws: `StateError.compacted` when it is no longer known, `CancellationError`.
    package mutating func next() async throws -> DocumentChange? {
        while pending.isEmpty { try await fill(until: nil) }
        guard let change = pending.popFirst() else { return nil }
        position = pending.isEmpty ? readTo : change.sequence
        return change
    }

    /// All changes that are there, at least one; none when none came in time.
    package mutating func next(within patience: Duration) async throws -> [DocumentChange] {
        let deadline = ContinuousClock.now.advanced(by: patience)
        repeat {
            if pending.isEmpty { try await fill(until: deadline) }
        } while pending.isEmpty && ContinuousClock.now < deadline
        defer { pending = [] }
        position = readTo
        return Array(pending)
    }

    private mutating func fill(until deadline: ContinuousClock.Instant?) async throws {
        let read = try await reader(readTo, deadline)
        pending = read.changes[...]
        readTo = read.position
        if pending.isEmpty { position = readTo }
    }
}
