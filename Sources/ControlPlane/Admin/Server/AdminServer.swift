// The admin port on Hummingbird: sockets, TLS, and the ticking of the stats recorder. Everything
// it answers comes from `AdminAPI`.

package import Deployments
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Traffic

package final class AdminServer: Sendable {
    /// A client that never finishes its request must not hold up the end of the gateway.
    private static let stopDuration = Duration.seconds(2)

    /// A connection that a process accepted just before another took over has a request on its way.
    private static let lastRequestDuration = Duration.seconds(1)

    private let options: AdminOptions
    private let api: AdminAPI
    private let recorder: StatsRecorder
    private let director: TrafficDirector
    private let logger: Logger
    private let stopSignal = AsyncStream.makeStream(of: Void.self)
    private let succeeded = Flag()
    private let clock = AdminClock()

    /// - Throws: `AdminError` when the address is not allowed with these options.
    package init(
        options: AdminOptions, tokens: any TokenSource, director: TrafficDirector, version: String,
        logger: Logger, memory: AdminMemory? = nil,
        readiness: @escaping @Sendable () async -> [String] = { [] }
    ) throws {
        self.options = options
        self.director = director
        self.logger = logger
        recorder = StatsRecorder()
        let clock = self.clock
        api = AdminAPI(
            access: try options.access(tokens: tokens), director: director, stats: recorder,
            version: version, readiness: readiness, now: { clock.now() }, memory: memory)
    }

    /// Serves until `stop()` or cancellation; requests under way end well on `stop()`.
    package func run(on incoming: AdminConnections) async throws {
        let book = ConnectionBook()
        let listener = AdminListener(
            incoming: incoming, kind: try connections(in: book), book: book, logger: logger,
            patience: { [succeeded] in succeeded.isRaised ? Self.lastRequestDuration : .zero })
        let group = ServiceGroup(configuration: groupConfiguration(listener))
        let ticking = Task { await tick() }
        defer { ticking.cancel() }
        let stopping = Task { await awaitStop(of: group) }
        defer { stopping.cancel() }
        try await group.run()
    }

    /// May be called from anywhere, any number of times.
    ///
    /// - Parameter isSucceeded: another process accepts at the same socket.
    package func stop(isSucceeded: Bool = false) {
        if isSucceeded { succeeded.raise() }
        api.isClosing.raise()
        stopSignal.continuation.finish()
    }

    private func awaitStop(of group: ServiceGroup) async {
        for await _ in stopSignal.stream {}
        await group.triggerGracefulShutdown()
    }

    private func tick() async {
        var watch = StallWatch()
        while !Task.isCancelled {
            let report = await director.report()
            await recorder.take(report, at: clock.now())
            switch watch.look(longest: report.gateway.loopStallNanoseconds) {
            case .began(let seconds):
                logger.error("a worker makes no progress", metadata: ["seconds": "\(seconds)"])
            case .ended: logger.notice("every worker makes progress again")
            case nil: break
            }
            // Cancellation ends the sleep, and the loop with it.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func groupConfiguration(_ service: some Service) -> ServiceGroupConfiguration {
        // Its connections may end before it is told to stop: another process accepts them then.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
            ], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.stopDuration
        return configuration
    }

    private func connections(in book: ConnectionBook) throws -> any ServerChildChannel {
        let responder = AdminResponder(api: api)
        let plain = HTTP1Channel(
            responder: { [logger] request, writer, channel in
                let context = AdminContext(
                    source: ApplicationRequestContextSource(channel: channel, logger: logger))
                var response = try await responder.respond(to: request, context: context)
                response.headers[.date] = AdminClock.date(Date())
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: .init(
                additionalChannelHandlers: [ConnectionDeadlines(book: book), MalformedRequests()]))
        guard let tls = options.tls else { return plain }
        return try TLSChannel(plain, tlsConfiguration: tls.configuration())
    }
}

extension AdminCertificate {
    /// - Throws: `AdminError` when the files are not a certificate and its key.
    package func check() throws(AdminError) {
        _ = try configuration()
    }

    fileprivate func configuration() throws(AdminError) -> TLSConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try privateKey()))
            configuration.minimumTLSVersion = .tlsv12
            // Finds a key that does not belong to the certificate now, not at the first client.
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch let error as AdminError {
            throw error
        } catch {
            throw .unusableCertificate(file: certificate, reason: "\(error)")
        }
    }

    private func privateKey() throws(AdminError) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw .unusableCertificate(file: key, reason: "\(error)")
        }
    }
}
