// `penstock-model [serve]`: loads an artifact, listens, warms up, prints one line when ready, and
// drains on SIGTERM or SIGINT: requests under way end well, then the program exits with 0.

import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve an artifact (the default).",
        discussion: """
            Examples:
              penstock-model --artifact iris-v1.json --listen 127.0.0.1:9001
              penstock-model --artifact iris-v1.json --listen unix:/run/iris.sock --latency 20ms
            """)

    @Option(help: "The trained classifier to serve.") var artifact: String
    @Option(help: "host:port (port 0 lets the system choose) or unix:/path.")
    var listen: ListenAddress = .internet(host: "127.0.0.1", port: 0)
    @Option(help: "Serve under this name; PENSTOCK_MODEL, else the artifact's own.") var name:
        String?
    @Option(help: "Serve as this version; the artifact's own by default.") var version: String?
    @Option(help: "Inferences computed at once; more wait in order. Unlimited by default.")
    var concurrency: Int?
    @Option(help: "Time added to each inference, as 20ms.") var latency: TimeSpan = .none
    @Option(help: "Spread of that latency, either way.") var latencyJitter: TimeSpan = .none
    @Option(help: "Share of inferences answered with 500, 0 to 1.") var failureRate = 0.0
    @Option(help: "Time to stay unready after start.") var startupDelay: TimeSpan = .none
    @Option(help: "trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?

    func validate() throws {
        guard (0...1).contains(failureRate) else {
            throw ValidationError("--failure-rate: \(failureRate) given; allowed: 0 to 1")
        }
        guard concurrency.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--concurrency: 1 to 100000")
        }
        guard Self.level(logLevel) != nil else {
            throw ValidationError(
                "--log-level or LOG_LEVEL: allowed: "
                    + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
        }
    }

    func run() async throws {
        var model = try Artifact(reading: URL(fileURLWithPath: artifact))
        // A replica answers for the model that its deployment names: requests come under that name.
        model.name =
            name ?? ProcessInfo.processInfo.environment["PENSTOCK_MODEL"] ?? model.name
        model.version = version ?? model.version
        let demonstration = Demonstration(
            latency: latency.duration, jitter: latencyJitter.duration, failureRate: failureRate)
        let state = ModelState(
            artifact: model, demonstration: demonstration, concurrency: concurrency)
        var logger = Logger(label: "penstock-model") { label in
            StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = Self.level(logLevel) ?? .info
        let application = Application(
            responder: ModelResponder(state: state),
            configuration: .init(address: listen.bindAddress, backlog: 1024),
            onServerRunning: { [logger] channel in
                warmUp(state, port: channel.localAddress?.port, logger: logger)
            },
            logger: logger)
        try await application.runService()
    }

    /// Beside the server, which must already answer "not yet" to health checks.
    private func warmUp(_ state: ModelState, port: Int?, logger: Logger) {
        let address = listen.bound(port: port)
        let delay = startupDelay.duration
        Task {
            do {
                if delay > .zero { try await Task.sleep(for: delay) }
                try state.warmUp()
                let model = "\(state.artifact.name) \(state.artifact.version)"
                FileHandle.standardOutput.write(
                    Data("penstock-model \(model) ready on \(address)\n".utf8))
            } catch {
                logger.critical("\(error)")
                Foundation.exit(1)
            }
        }
    }

    /// The option, else `LOG_LEVEL`, else warnings only; nil for a word that is no level.
    private static func level(_ option: String?) -> Logger.Level? {
        let word = option ?? ProcessInfo.processInfo.environment["LOG_LEVEL"] ?? "warning"
        return Logger.Level(rawValue: word.lowercased())
    }
}

/// A duration as an option's value.
struct TimeSpan: ExpressibleByArgument {
    var duration: Duration

    static let none = TimeSpan(duration: .zero)

    init(duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let duration = DurationText.duration(argument) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { "0s" }
}

extension ListenAddress: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}
