// The times within which a client of the admin port must say what it wants and take what it gets.
// Each begins at a turn of the conversation, not at a byte: one byte a minute makes none longer.

import NIOCore
import NIOHTTPTypes

final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let book: ConnectionBook
    private var requestsAtWork = 0
    /// Of what the client has to send next.
    private var deadline: Scheduled<Void>?
    /// Of what it has to take.
    private var stall: Scheduled<Void>?

    init(book: ConnectionBook) {
        self.book = book
    }

    func handlerAdded(context: ChannelHandlerContext) {
        book.add(context.channel)
        expect(within: AdminLimits.firstHeadSeconds, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            requestsAtWork += 1
            expect(within: AdminLimits.bodySeconds, context)
        case .body: break
        case .end:
            // An answer that came before the end of its request has begun the next time already.
            guard requestsAtWork > 0 else { break }
            deadline?.cancel()
            // Until here it was the client that kept the port waiting.
            if context.channel.isWritable { book.isAtWork(context.channel) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            requestsAtWork = max(0, requestsAtWork - 1)
            if requestsAtWork == 0 {
                book.isIdle(context.channel)
                expect(within: AdminLimits.keepAliveSeconds, context)
            }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if context.channel.isWritable {
            if requestsAtWork > 0 { book.isAtWork(context.channel) }
        } else {
            // What it has asked for waits for it now.
            book.isIdle(context.channel)
            stall = cut(after: AdminLimits.stallSeconds, context.channel)
        }
        context.fireChannelWritabilityChanged()
    }

    private func expect(within seconds: Int64, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = cut(after: seconds, context.channel)
    }

    private func cut(after seconds: Int64, _ channel: any Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: .seconds(seconds)) { channel.cutOff() }
    }

    private func end(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
        book.remove(context.channel)
    }
}
