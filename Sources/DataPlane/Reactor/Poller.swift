// epoll, one per loop. A connection is added once, edge-triggered for everything, and never
// modified: in steady state there is no epoll_ctl. Listeners and doorbells are level-triggered.
// What an event belongs to is a token of 64 bits, usually a record's address.

internal import CLinux
internal import Glibc

/// What epoll says about a descriptor.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: 0x001)
    package static let writable = Readiness(rawValue: 0x004)
    /// An error is pending on the socket (EPOLLERR).
    package static let failed = Readiness(rawValue: 0x008)
    /// Both directions are closed (EPOLLHUP).
    package static let hungUp = Readiness(rawValue: 0x010)
    /// The peer will send no more (EPOLLRDHUP).
    package static let peerClosed = Readiness(rawValue: 0x2000)
}

@safe
package struct Poller: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    package init() throws(SystemError) {
        descriptor = penstock_epoll_create()
        if descriptor < 0 { throw SystemError(call: "epoll_create1", code: errno) }
        unsafe events = .allocate(capacity: ReactorLimits.eventsPerWait)
    }

    deinit {
        Glibc.close(descriptor)
        unsafe events.deallocate()
    }

    /// Waits for events, or `milliseconds` (-1: for ever). Answers how many there are; a signal
    /// counts as none. Events stay readable until the next wait.
    package mutating func wait(milliseconds: Int32) throws(SystemError) -> Int {
        let count = unsafe epoll_wait(
            descriptor, events, Int32(ReactorLimits.eventsPerWait), milliseconds)
        if count >= 0 { return Int(count) }
        if errno == EINTR { return 0 }
        throw SystemError(call: "epoll_wait", code: errno)
    }

    package func token(_ index: Int) -> UInt64 {
        unsafe penstock_event_token(events, index)
    }

    package func readiness(_ index: Int) -> Readiness {
        unsafe Readiness(rawValue: penstock_event_flags(events, index))
    }

    /// Edge-triggered, both directions, for the descriptor's whole life.
    package func add(_ descriptor: Int32, token: UInt64) throws(SystemError) {
        if penstock_epoll_add_edge(self.descriptor, descriptor, token) < 0 {
            throw SystemError(call: "epoll_ctl", code: errno)
        }
    }

    /// For listeners and doorbells. `exclusive`: of several loops that poll the same descriptor,
    /// the kernel wakes one (unix listeners, which cannot be opened once per loop).
    package func addLevelTriggered(
        _ descriptor: Int32, token: UInt64, exclusive: Bool = false
    ) throws(SystemError) {
        let flag: Int32 = exclusive ? 1 : 0
        if penstock_epoll_add_level(self.descriptor, descriptor, token, flag) < 0 {
            throw SystemError(call: "epoll_ctl", code: errno)
        }
    }

    /// Closing a descriptor removes it as well, unless a duplicate of it lives on.
    package func remove(_ descriptor: Int32) {
        _ = penstock_epoll_remove(self.descriptor, descriptor)
    }

    /// Stops hearing of a level-triggered descriptor without closing it. It is removed rather than
    /// modified: a modified one still reports errors, and an exclusive one cannot be modified.
    package func pause(levelTriggered descriptor: Int32, token: UInt64) {
        remove(descriptor)
    }

    package func resume(
        levelTriggered descriptor: Int32, token: UInt64, exclusive: Bool = false
    ) throws(SystemError) {
        try addLevelTriggered(descriptor, token: token, exclusive: exclusive)
    }
}
