// Serves connections that somebody else accepts, so that a process that takes over can accept from
// the same socket at the same time. When told to stop, requests under way end well.

import Guarding
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
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
    let logger: Logger
    /// How long connections just accepted have to bring their request when the end has come.
    let patience: @Sendable () -> Duration

    func run() async throws {
        await run(kind)
    }

    private func run(_ kind: some ServerChildChannel) async {
        let open = OpenConnections()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await descriptor in incoming.descriptors {
                    group.addTask {
                        await serve(descriptor, kind, open)
                        incoming.release()
                    }
                }
            }
        } onGracefulShutdown: {
            incoming.stop()
            Task { [patience] in
                // Cancelled: the end comes now.
                try? await Task.sleep(for: patience())
                open.quiesce()
            }
        }
    }

    private func serve(
        _ descriptor: Int32, _ kind: some ServerChildChannel, _ open: OpenConnections
    ) async {
        do {
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
                .withConnectedSocket(descriptor) { [logger] channel in
                    kind.setup(channel: channel, logger: logger)
                }
            open.add(connection.channel)
            await kind.handle(value: connection, logger: logger)
            open.remove(connection.channel)
        } catch {
            logger.debug("a connection ended early", metadata: ["cause": "\(error)"])
        }
    }
}

/// Connections to be told when the end has come: then each ends after its request.
private final class OpenConnections: Sendable {
    private struct Book: Sendable {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
    }

    private let book = Guarded(Book())

    func add(_ channel: any Channel) {
        let isQuiescing = book.withLock { book in
            book.channels[ObjectIdentifier(channel)] = channel
            return book.isQuiescing
        }
        if isQuiescing { tell(channel) }
    }

    func remove(_ channel: any Channel) {
        _ = book.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func quiesce() {
        let channels = book.withLock { book in
            book.isQuiescing = true
            return book.channels.values.map(\.self)
        }
        channels.forEach(tell)
    }

    private func tell(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}
