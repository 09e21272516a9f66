// Accepts the admin port's connections from a socket that listens already, so that a process that
// takes over can go on with the very same one. When told to stop, requests under way end well.

import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOPosix
import ServiceLifecycle

struct AdminListener: Service {
    /// Closed in the end.
    let descriptor: Int32
    let connections: any ServerChildChannel
    let connectionsMax: Int
    let logger: Logger
    /// How long connections just accepted have to bring their request when the end has come.
    let patience: @Sendable () -> Duration
    let onListening: @Sendable (any Channel) async -> Void

    func run() async throws {
        try await run(connections)
    }

    private func run(_ connections: some ServerChildChannel) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let quiescing = ServerQuiescingHelper(group: group)
        let bootstrap = ServerBootstrap(group: group)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { [connectionsMax] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        AvailableConnectionsChannelHandler(maxConnections: connectionsMax),
                        quiescing.makeServerChannelHandler(channel: channel),
                    ])
                }
            }
        let server = try await bootstrap.bind(descriptor) { [logger] channel in
            connections.setup(channel: channel, logger: logger)
        }
        try await withGracefulShutdownHandler {
            await onListening(server.channel)
            try await serve(server, connections)
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
            Task { [patience] in
                // Cancelled: the end comes now.
                try? await Task.sleep(for: patience())
                quiescing.initiateShutdown(promise: nil)
            }
        }
    }

    private func serve<Connections: ServerChildChannel>(
        _ server: NIOAsyncChannel<Connections.Value, Never>, _ connections: Connections
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { incoming in
                for try await connection in incoming {
                    group.addTask { await connections.handle(value: connection, logger: logger) }
                }
            }
        }
    }
}
