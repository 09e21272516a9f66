// The process that this one takes over from, seen from here: what it passes on, and when it has let
// go. Without one, a start is a start.

import Foundation
import Proxying
import Reactor
import Traffic

struct Predecessor: Sendable {
    /// What came with the hand-over; the descriptors are this process's own.
    struct Passed: Sendable {
        var inheritance = Inheritance()
        var lock: Int32?
        /// Its address as that process's configuration has it.
        var admin: (descriptor: Int32, address: NetworkAddress)?
    }

    /// It lets go of the state once it has finished what it is in the middle of: the start of a
    /// replica whose files are large takes its time. Meanwhile both serve.
    private static let patience = Duration.seconds(90)

    private let channel: HandoverChannel

    /// To be asked once, before anything else runs.
    static func find() -> Predecessor? {
        HandoverChannel.toPredecessor().map(Predecessor.init(channel:))
    }

    /// Says that the configuration is valid and takes what is passed on.
    func receive() async throws -> Passed {
        try await OwnThread.run { [channel] in
            try channel.send(HandoverMessage.prepared(version: Version.text).bytes)
            var passed = Passed()
            while case .message(let bytes, let descriptors) = try channel.receive(
                within: Upgrade.patience)
            {
                if Self.take(HandoverMessage(bytes), descriptors, into: &passed) { return passed }
            }
            throw Failure(.error, "the process to take over from has ended")
        }
    }

    /// - Returns: true when that was the last.
    private static func take(
        _ message: HandoverMessage, _ descriptors: [Int32], into passed: inout Passed
    ) -> Bool {
        switch message {
        case .begin: return true
        case .lock: passed.lock = descriptors.first
        case .admin(let address): passed.admin = descriptors.first.map { ($0, address) }
        case .tickets(let keys): passed.inheritance.tickets = keys
        case .listener(let address, let bound):
            passed.inheritance.add(
                PassedListener(address: address, bound: bound, descriptors: descriptors))
        default: descriptors.forEach(Sockets.close)
        }
        return false
    }

    /// Says that this process serves, and waits until the state is its own. A predecessor that
    /// dies meanwhile has let go, too.
    func awaitState(serving taken: [NetworkAddress]) async throws {
        try await OwnThread.run { [channel] in
            try channel.send(HandoverMessage.serving(taken: taken).bytes)
            while case .message(let bytes, _) = try channel.receive(within: Self.patience) {
                if HandoverMessage(bytes) == .yours { return }
            }
        }
    }

    /// Returns once the predecessor has told everybody else, or has ended.
    func tellInCharge() async {
        // Gone already: then there is nobody who would have to know.
        try? await OwnThread.run { [channel] in
            try channel.send(HandoverMessage.inCharge.bytes)
            while case .message(let bytes, _) = try channel.receive(within: Upgrade.patience) {
                if HandoverMessage(bytes) == .announced { return }
            }
        }
    }

    /// It has given its last answer, or the time is over.
    func awaitEnd(within patience: Duration) async {
        // Without an answer in time there is nothing more to wait for.
        try? await OwnThread.run { [channel] in
            while case .message = try channel.receive(within: patience) {}
        }
    }

    func tell(failure: String) {
        // As above; its own log then says that the channel has ended.
        try? channel.send(HandoverMessage.failed(failure).bytes)
    }
}

/// Calls that block, away from the threads that Swift's tasks share.
enum OwnThread {
    static func run<Value: Sendable>(
        name: String = "handover", _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            _ = LoopThread.start(name: name) {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
