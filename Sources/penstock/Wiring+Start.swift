// The parts that are made once: log, descriptor limit, state directory, data plane. Each says in
// words what is missing, before anything is served.

import CLinux
import Foundation
import Handshakes
import Logging
import NIOCore
import Proxying
import Settings
import State
import Synchronization
import TLS
import Traffic

extension Wiring {
    /// - Returns: what is to be closed last, so that the last lines are told.
    static func startLogging(_ settings: LogSettings) -> LogWriter {
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        let form: ProgramLog.Form = settings.format == .json ? .json : .text
        let writer = LogWriter { count in
            ProgramLog.line(
                form, at: Date(), level: "warning", label: "penstock",
                message: "lines of this log were dropped: nobody read them", [("lines", "\(count)")]
            )
        }
        LoggingSystem.bootstrap {
            ProgramLog(label: $0, level: level, form: form, writer: writer)
        }
        return writer
    }

    /// What the program itself opens: libraries end it when that fails, without a word to people.
    static func requireDescriptors(workers: Int) throws {
        // Few requests come to the admin port: two loops serve it, whatever the machine.
        NIOSingletons.groupLoopCountSuggestion = 2
        let limit = penstock_raise_descriptor_limit()
        // A listener, a poller, a mailbox and a reserve each; then database, logs, admin port.
        let needed = 64 + 4 * workers
        guard limit > 0, limit < needed else { return }
        throw Failure(
            .error,
            "gateway.workers: \(workers) need at least \(needed) file descriptors, and the limit "
                + "is \(limit); raise it (ulimit -n, LimitNOFILE=) or set fewer workers")
    }

    /// The configured connections, or as many as there are descriptors for.
    static func connections(_ configuration: Configuration, _ log: Logger?) -> Int {
        let wanted = configuration.gateway.limits.connections
        let limit = penstock_raise_descriptor_limit()
        guard limit > 0 else { return wanted }
        // Listeners, pollers, the database, replicas' pipes, connections to replicas' probes.
        let reserve = min(256, limit / 4)
        let possible = Int(limit - reserve)
        guard wanted > possible else { return wanted }
        log?.warning(
            "gateway.limits.connections lowered to what the descriptor limit allows",
            metadata: [
                "wanted": "\(wanted)", "allowed": "\(possible)", "descriptors": "\(limit)",
            ])
        return possible
    }

    /// A process that was just killed holds its lock until the kernel has cleared it away.
    private static let patience = Duration.seconds(1)

    /// - Parameter passed: from a process that is succeeded: it still writes.
    static func openState(_ path: String, _ passed: Predecessor.Passed?) async throws -> Store {
        let directory = URL(filePath: path, directoryHint: .isDirectory)
        guard let descriptor = passed?.lock else {
            let deadline = ContinuousClock.now.advanced(by: patience)
            while true {
                do {
                    return try Store(directory: directory)
                } catch StateError.inUse where ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
        }
        return try Store(
            directory: directory,
            passed: try StateLock(passed: descriptor, directory: directory))
    }

    static func makePlane(
        _ store: Store, _ log: Logger, _ inheritance: Inheritance
    ) throws -> DataPlane {
        let options = DataPlaneOptions(
            stickyKey: try store.stickyKey(), algorithms: algorithms(log)
        ) { line in
            log.log(level: line.isError ? .error : .info, "\(line.text)")
        }
        return DataPlane(options: options, inheritance: inheritance)
    }

    /// Those that make handshakes cheaper, or OpenSSL's own: they do the same.
    private static func algorithms(_ log: Logger) -> TLSAlgorithms {
        if let name = HandshakeProvider.name { return .preferring(provider: name) }
        log.warning("TLS handshakes take more CPU: OpenSSL has not loaded a provider for them")
        return .standard
    }

    /// - Parameter passedOn: what a successor has taken; nil without one.
    func drainPlane(
        _ grace: Duration, passedOn: Set<NetworkAddress>? = nil
    ) async -> Bool {
        await withCheckedContinuation { continuation in
            plane.drain(grace: grace, passedOn: passedOn) { continuation.resume(returning: $0) }
        }
    }

    /// `penstock.pid` names the live process. A full disk must not keep that from serving.
    func writeProcessID() {
        let text = "\(ProcessInfo.processInfo.processIdentifier)\n"
        do {
            try Data(text.utf8).write(to: processIDFile, options: .atomic)
        } catch {
            log.warning(
                "penstock.pid is not written",
                metadata: ["cause": "\(error.localizedDescription)"])
        }
    }

    /// Of a live process: its number and its sockets.
    func removeTraces() {
        // Unreadable is as good as gone.
        let text = try? String(contentsOf: processIDFile, encoding: .utf8)
        let own = "\(ProcessInfo.processInfo.processIdentifier)\n"
        // A successor's stays.
        guard text == own else { return }
        // Gone already is as good; the lock, not this file, says who is alive.
        try? FileManager.default.removeItem(at: processIDFile)
        Wiring.removeSockets(runtime)
    }

    private var processIDFile: URL { store.directory.appending(path: "penstock.pid") }
}

/// A data plane is started with its first plan; the director knows plans only.
final class FirstPlanStarts: TrafficGate {
    private let plane: DataPlane
    private let isStarted = Atomic(false)

    init(_ plane: DataPlane) {
        self.plane = plane
    }

    func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        // The director is one actor and applies one plan at a time.
        if isStarted.load(ordering: .acquiring) {
            try plane.apply(plan)
        } else {
            try plane.start(plan)
            isStarted.store(true, ordering: .releasing)
        }
    }

    func report() -> TrafficReport { plane.report() }

    func generationInForce() -> UInt64 { plane.generationInForce() }
}
