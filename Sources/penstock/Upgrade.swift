// The process that takes over from this one, seen from here: started from what now lies where this
// program was started from, believed step by step, and ended when it does not keep up.

import Foundation
import Glibc
import Guarding
import Proxying
import Reactor
import Traffic

/// The upgrades of this process, one at a time. Whoever wants to stop meanwhile breaks one off.
final class Upgrade: Sendable {
    /// For each step of the successor: to read and check a configuration and to start its loops
    /// takes well below a second; on a machine without breath, ten.
    static let patience = Duration.seconds(30)

    enum Outcome: Sendable {
        /// By this process; the listeners named are its own now.
        case succeeded(by: Int32, passedOn: Set<NetworkAddress>)
        /// Everything is as it was.
        case refused
        /// The data plane goes on, and nobody keeps the state.
        case lost
    }

    private struct Book: Sendable {
        var successor: Int32?
        var isBrokenOff = false
        var hasGivenUpState = false
    }

    private let book = Guarded(Book())

    var isBrokenOff: Bool { book.withLock { $0.isBrokenOff } }
    var hasGivenUpState: Bool { book.withLock { $0.hasGivenUpState } }

    /// Which process there is to end; at once if the order came while it was being started.
    func note(_ successor: Int32?) {
        book.withLock { $0.successor = successor }
        if successor != nil, isBrokenOff { breakOff() }
    }

    /// Ends the successor if everything can still stay as it was; else somebody must keep the
    /// state, and it is left to end the upgrade.
    func breakOff() {
        book.withLock { book in
            book.isBrokenOff = true
            guard !book.hasGivenUpState, let successor = book.successor else { return }
            _ = kill(successor, SIGKILL)
        }
    }

    /// This process ends without waiting for the one that has the state: that one has to obey, too.
    func passOnStop() {
        book.withLock { book in
            guard book.hasGivenUpState, let successor = book.successor else { return }
            Self.stop(successor)
        }
    }

    /// From now on another process must keep the state.
    ///
    /// - Returns: false when that was so before.
    func giveUpState() throws -> Bool {
        let before = book.withLock { book in
            let before = book
            if !book.isBrokenOff { book.hasGivenUpState = true }
            return before
        }
        if before.hasGivenUpState { return false }
        if before.isBrokenOff { throw Failure(.error, "told to stop meanwhile") }
        return true
    }

    /// Told to stop while it was taking over: it is the one to obey.
    static func stop(_ successor: Int32) { _ = kill(successor, SIGTERM) }

    /// Where this program was started from, whatever lies there now; links are not followed, so
    /// that one that points to a new version leads there.
    static func program(
        named name: String = CommandLine.arguments.first ?? "",
        in directory: String = FileManager.default.currentDirectoryPath,
        path: String = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    ) -> String {
        let base = URL(filePath: directory, directoryHint: .isDirectory)
        if name.contains("/") {
            return URL(filePath: name, relativeTo: base).absoluteURL.path(percentEncoded: false)
        }
        let candidates = path.split(separator: ":").map {
            URL(filePath: String($0), directoryHint: .isDirectory, relativeTo: base)
                .appending(path: name).absoluteURL.path(percentEncoded: false)
        }
        return candidates.first(where: FileManager.default.isExecutableFile(atPath:)) ?? itself
    }

    /// This very program, also when its file has been replaced since.
    static let itself = "/proc/self/exe"
}

/// A process that has been started to take over.
struct Successor: Sendable {
    let process: Int32
    private let channel: HandoverChannel

    static func start(_ program: String) async throws -> Successor {
        let (own, its) = try HandoverChannel.pair()
        defer { its.close() }
        do {
            let process = try await OwnThread.run {
                try HandoverChannel.startSuccessor(program, its)
            }
            return Successor(process: process, channel: own)
        } catch {
            own.close()
            throw Failure(.error, "\(program) cannot be started: \(error)")
        }
    }

    /// The next message of the kind wanted.
    func expect<Value: Sendable>(
        _ what: String, within patience: Duration = Upgrade.patience,
        _ wanted: @escaping @Sendable (HandoverMessage) -> Value?
    ) async throws -> Value {
        try await OwnThread.run { [channel, process] in
            while case .message(let bytes, _) = try Self.receive(channel, patience, what) {
                let message = HandoverMessage(bytes)
                if let value = wanted(message) { return value }
                if case .failed(let cause) = message { throw Failure(.error, cause) }
            }
            throw Failure(.error, "\(Self.end(of: process)) before it \(what)")
        }
    }

    private static func receive(
        _ channel: HandoverChannel, _ patience: Duration, _ what: String
    ) throws -> HandoverChannel.Received {
        do {
            return try channel.receive(within: patience)
        } catch {
            guard error.code == ETIMEDOUT else { throw error }
            throw Failure(.error, "the new process has not \(what) within \(patience)")
        }
    }

    func send(_ message: HandoverMessage, descriptors: [Int32] = []) async throws {
        try await OwnThread.run { [channel, process] in
            do {
                try channel.send(message.bytes, descriptors: descriptors)
            } catch {
                guard let code = (error as? SystemError)?.code,
                    code == EPIPE || code == ECONNRESET
                else { throw error }
                throw Failure(.error, "\(Self.end(of: process)) before it had taken everything")
            }
        }
    }

    /// Whatever it is doing. It is gone when this returns.
    func end() async {
        // Only a thread can fail to start, and that ends the program.
        try? await OwnThread.run { [channel, process] in
            _ = kill(process, SIGKILL)
            _ = Self.end(of: process)
            channel.close()
        }
    }

    private static func end(of process: Int32) -> String {
        switch HandoverChannel.end(of: process, within: .seconds(5)) {
        case .exited(let code): "the new process ended with exit code \(code)"
        case .killed(let signal): "the new process was killed by signal \(signal)"
        case .running: "the new process closed its channel"
        }
    }
}
