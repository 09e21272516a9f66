// What a loop shares with the rest of the process: its mailbox, its counters and a heartbeat.
// Everything else of a worker belongs to its thread alone.

import HTTPWire
import Reactor
import Synchronization
import TLS
import Traffic

final class WorkerShared: Sendable {
    let index: Int
    let seed: UInt64
    let mailbox: Mailbox<WorkerMessage>
    let counters: SharedCounters
    let options: DataPlaneOptions
    let connections: ConnectionCount
    /// Requests held, over all loops.
    let pending: PendingCount
    let tickets: TLSTicketKeys
    /// Generation of the plan in force on this loop.
    let generation = Atomic<UInt64>(0)
    /// The drain's time was over before the last request was.
    let cutOff = Atomic<Bool>(false)
    /// When the current batch began; 0 while waiting in the poll.
    private let busySince = Atomic<Int64>(0)
    /// Why the loop could not start; nil when it did.
    let startFailure = Lock<SystemError?>(nil)
    /// What other loops may need of each other: their mailboxes, in order.
    let peers = Lock<[Mailbox<WorkerMessage>]>([])

    init(
        index: Int, counters: SharedCounters, options: DataPlaneOptions,
        connections: ConnectionCount, pending: PendingCount, tickets: TLSTicketKeys, seed: UInt64
    ) throws(SystemError) {
        self.index = index
        self.seed = seed
        self.counters = counters
        self.options = options
        self.connections = connections
        self.pending = pending
        self.tickets = tickets
        mailbox = try Mailbox()
    }

    /// Waits until the loop serves a plan of that generation or has ended. Not for loops.
    func awaitGeneration(_ wanted: UInt64) {
        while generation.load(ordering: .acquiring) < wanted { LoopThread.pause() }
    }

    func noteIdle() { busySince.store(0, ordering: .relaxed) }
    func noteBusy(_ now: Int64) { busySince.store(now, ordering: .relaxed) }

    /// Nanoseconds the loop has been away from its poll; 0 while it waits there.
    func stall(now: Int64) -> Int64 {
        let since = busySince.load(ordering: .relaxed)
        return since == 0 ? 0 : max(0, now - since)
    }

    func postToAll(_ message: WorkerMessage) {
        for mailbox in peers.withLock({ $0 }) { mailbox.post(message) }
    }

    func post(_ message: WorkerMessage, to loop: Int) {
        let mailbox = peers.withLock { $0.indices.contains(loop) ? $0[loop] : nil }
        mailbox?.post(message)
    }
}

/// Client connections open on all loops, against the one limit.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)
    private let limit: Atomic<Int>

    init(limit: Int) {
        self.limit = Atomic(limit)
    }

    func setLimit(_ value: Int) { limit.store(value, ordering: .relaxed) }

    /// Takes a place; false when none is free.
    func enter() -> Bool {
        let before = count.wrappingAdd(1, ordering: .relaxed).oldValue
        if before < limit.load(ordering: .relaxed) { return true }
        leave()
        return false
    }

    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// Requests that wait for a slot on all loops.
final class PendingCount: Sendable {
    private let count = Atomic<Int>(0)

    func enter(limit: Int) -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).oldValue < limit { return true }
        leave()
        return false
    }

    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// The counters of the loops, in the order of their cells.
enum LoopCounter: Int, CaseIterable {
    case accepted
    case refused
    case openClients
    case openUpstreams
    case idleUpstreams
    case openRequests
    case pendingRequests
    /// Tries counted into an endpoint's in-flight number and not yet out.
    case openTries
    case probesSent
    case probesFailed
    case handshakes
    /// First of the refusals, one cell a `RefusalCode`, then one a `WireError`.
    case refusals

    static var malformed: Int { LoopCounter.refusals.rawValue + RefusalCode.allCases.count }
    static var cells: Int { LoopCounter.malformed + WireError.allCases.count }
}

/// One loop's handles on its counters.
struct LoopMeters {
    let accepted: SharedCounter
    let refused: SharedCounter
    let openClients: SharedCounter
    let openUpstreams: SharedCounter
    let idleUpstreams: SharedCounter
    let openRequests: SharedCounter
    let pendingRequests: SharedCounter
    let openTries: SharedCounter
    let probesSent: SharedCounter
    let probesFailed: SharedCounter
    let handshakes: SharedCounter
    private let counters: SharedCounters
    private let loop: Int

    init(_ counters: SharedCounters, loop: Int) {
        func counter(_ counter: LoopCounter) -> SharedCounter {
            counters.counter(counter.rawValue, loop: loop)
        }
        accepted = counter(.accepted)
        refused = counter(.refused)
        openClients = counter(.openClients)
        openUpstreams = counter(.openUpstreams)
        idleUpstreams = counter(.idleUpstreams)
        openRequests = counter(.openRequests)
        pendingRequests = counter(.pendingRequests)
        openTries = counter(.openTries)
        probesSent = counter(.probesSent)
        probesFailed = counter(.probesFailed)
        handshakes = counter(.handshakes)
        self.counters = counters
        self.loop = loop
    }

    /// By the code that the client is told: of what is malformed, the rule that it breaks.
    func refusal(_ code: RefusalCode, malformed error: WireError? = nil) -> SharedCounter {
        let cell =
            error.map { LoopCounter.malformed + Int($0.rawValue) }
            ?? LoopCounter.refusals.rawValue + Int(code.rawValue)
        return counters.counter(cell, loop: loop)
    }
}
