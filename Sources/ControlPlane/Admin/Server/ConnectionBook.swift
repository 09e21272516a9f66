// The connections of the admin port: which are at work, and since when the others are idle or keep
// us waiting. When there are too many, the one that does so longest goes, so that nobody can shut
// the port by holding connections; and all are told when the end has come.

import Guarding
import NIOCore

final class ConnectionBook: Sendable {
    private struct Entry {
        let channel: any Channel
        /// The turn since which the client has to do something: send a request, the rest of one,
        /// or take an answer. Nil while it waits for us.
        var idleSince: UInt64?
    }

    private struct Book {
        var entries: [ObjectIdentifier: Entry] = [:]
        var turn: UInt64 = 0
        var isQuiescing = false

        mutating func nextTurn() -> UInt64 {
            turn += 1
            return turn
        }

        /// The one to go, if there are more than there may be; never the newest.
        func surplus(beyond limit: Int) -> (any Channel)? {
            guard entries.count > limit else { return nil }
            let idle = entries.values.filter { ($0.idleSince ?? turn) < turn }
            return idle.min { ($0.idleSince ?? turn) < ($1.idleSince ?? turn) }?.channel
        }
    }

    private let limit: Int
    private let book = Guarded(Book())

    init(limit: Int = AdminLimits.connections) {
        self.limit = limit
    }

    /// A connection that has asked for nothing yet.
    func add(_ channel: any Channel) {
        let (isQuiescing, surplus) = book.withLock { book in
            book.entries[ObjectIdentifier(channel)] = Entry(
                channel: channel, idleSince: book.nextTurn())
            let surplus = book.surplus(beyond: limit)
            // It goes now; the next newcomer must not choose it again.
            if let surplus { book.entries[ObjectIdentifier(surplus)] = nil }
            return (book.isQuiescing, surplus)
        }
        surplus?.cutOff()
        // Once all its handlers are there: the one that listens comes last.
        if isQuiescing { channel.eventLoop.execute { self.tell(channel) } }
    }

    func isAtWork(_ channel: any Channel) {
        book.withLock { $0.entries[ObjectIdentifier(channel)]?.idleSince = nil }
    }

    func isIdle(_ channel: any Channel) {
        book.withLock { book in
            let turn = book.nextTurn()
            book.entries[ObjectIdentifier(channel)]?.idleSince = turn
        }
    }

    func remove(_ channel: any Channel) {
        _ = book.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func quiesce() {
        let channels = book.withLock { book in
            book.isQuiescing = true
            return book.entries.values.map(\.channel)
        }
        channels.forEach(tell)
    }

    private func tell(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}

extension Channel {
    /// Ends it without waiting for the peer, whom TLS would give seconds to say goodbye.
    func cutOff() {
        triggerUserOutboundEvent(CutOff.now, promise: nil)
    }
}

private enum CutOff: Sendable {
    case now
}

/// Next to the socket: closes it when it is told to, past every other handler.
final class ConnectionCutter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is CutOff else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        context.close(mode: .all, promise: promise)
    }
}
