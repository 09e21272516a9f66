// How many streams are open: each holds a connection for as long as somebody looks, and the admin
// port has only so many.

import Synchronization

final class StreamCount: Sendable {
    /// Half of the port's connections: the other half is for questions with an end.
    static let most = 128

    private let open = Atomic(0)

    /// A place among the open streams, given back once.
    final class Place: Sendable {
        private let count: StreamCount
        private let isHeld = Atomic(true)

        fileprivate init(_ count: StreamCount) {
            self.count = count
        }

        func leave() {
            guard isHeld.exchange(false, ordering: .acquiringAndReleasing) else { return }
            count.open.subtract(1, ordering: .relaxed)
        }

        /// A stream that never began gives its place back, too.
        deinit { leave() }
    }

    /// - Throws: a 503 when all are taken.
    func enter() throws(Problem) -> Place {
        let before = open.add(1, ordering: .relaxed).oldValue
        guard before < Self.most else {
            open.subtract(1, ordering: .relaxed)
            throw Problem(
                status: 503, code: "TOO_MANY_STREAMS",
                detail: "\(Self.most) streams are open already", headers: ["retry-after": "5"])
        }
        return Place(self)
    }

    var count: Int { open.load(ordering: .relaxed) }
}
