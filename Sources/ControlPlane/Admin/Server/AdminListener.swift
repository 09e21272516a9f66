// Serves connections that somebody else accepts, so that a process that takes over can accept from
// the same socket at the same time. When told to stop, requests under way end well.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1
import NIOPosix
import ServiceLifecycle

/// Accepted connections as they come.
package struct AdminConnections: Sendable {
    let descriptors: AsyncStream<Int32>
    let release: @Sendable () -> Void
    let stop: @Sendable () -> Void

    /// - Parameters:
    ///   - descriptors: each is closed here, and then there is room for another: `release`.
    ///   - stop: ends the stream; what has been accepted still comes.
    package init(
        descriptors: AsyncStream<Int32>, release: @escaping @Sendable () -> Void,
        stop: @escaping @Sendable () -> Void
    ) {
        self.descriptors = descriptors
        self.release = release
        self.stop = stop
    }
}

struct AdminListener: Service {
    let incoming: AdminConnections
    let kind: any ServerChildChannel
    let book: ConnectionBook
    let logger: Logger
    /// How long connections just accepted have to bring their request when the end has come.
    let patience: @Sendable () -> Duration

    func run() async throws {
        await run(kind)
    }

    private func run(_ kind: some ServerChildChannel) async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await descriptor in incoming.descriptors {
                    group.addTask {
                        await serve(descriptor, kind)
                        incoming.release()
                    }
                }
            }
        } onGracefulShutdown: {
            incoming.stop()
            Task { [patience, book] in
                // Cancelled: the end comes now.
                try? await Task.sleep(for: patience())
                book.quiesce()
            }
        }
    }

    private func serve(_ descriptor: Int32, _ kind: some ServerChildChannel) async {
        do {
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
                .channelOption(.socketOption(.so_sndbuf), value: AdminLimits.unsentBytes)
                .withConnectedSocket(descriptor) { channel in setUp(channel, kind) }
            await kind.handle(value: connection, logger: logger)
        } catch {
            logger.debug("a connection ended early", metadata: ["cause": "\(error)"])
        }
    }

    /// The library's handlers, and ours around them.
    private func setUp<Kind: ServerChildChannel>(
        _ channel: any Channel, _ kind: Kind
    ) -> EventLoopFuture<Kind.Value> {
        do {
            try channel.pipeline.syncOperations.addHandler(ConnectionCutter())
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return kind.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let handlers = channel.pipeline.syncOperations
            let codec = try handlers.context(handlerType: HTTP1ToHTTPServerCodec.self).handler
            try handlers.addHandler(SingleHost(), position: .before(codec))
            return value
        }
    }
}
