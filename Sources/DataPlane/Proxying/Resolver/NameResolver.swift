// Host names of endpoints, looked up by one thread that may block as long as the system's resolver
// likes. A name that cannot be resolved now keeps the addresses it had. The loops never see a
// name: they get addresses with the next plan.

package import Reactor

package final class NameResolver: Sendable {
    package typealias LookUp = @Sendable (String) throws(LookupError) -> [SocketAddress]

    private let shared: ResolverShared
    private let thread: LoopThread

    /// All callbacks come on the resolver's thread, and none after `stop` has returned.
    /// `onChange` gets a name's addresses (with port 0) when they are first known and whenever the
    /// set of them changes; `onFailure` gets a text when looking a name up begins to fail, or fails
    /// for another reason.
    package init(
        intervalMilliseconds: Int64 = 30_000, retryMilliseconds: Int64 = 5_000,
        lookUp: @escaping LookUp = HostLookup.addresses(of:),
        onChange: @escaping @Sendable (String, [SocketAddress]) -> Void,
        onFailure: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) throws(SystemError) {
        let shared = ResolverShared(doorbell: try Doorbell())
        self.shared = shared
        thread = LoopThread.start(name: "resolver") {
            var work = ResolverWork(
                shared: shared, interval: intervalMilliseconds * 1_000_000,
                retry: retryMilliseconds * 1_000_000, lookUp: lookUp, onChange: onChange,
                onFailure: onFailure)
            work.run()
        }
    }

    deinit {
        stop()
    }

    /// From now on exactly these names are looked up: new ones at once, all of them regularly.
    package func watch(_ hosts: Set<String>) {
        shared.state.withLock { $0.hosts = hosts }
        shared.doorbell.ring()
    }

    /// Ends the thread. If it is inside the system's resolver it is left to end by itself.
    package func stop() {
        let isBlocked = shared.state.withLock { state in
            state.isStopped = true
            return state.isLookingUp
        }
        shared.doorbell.ring()
        if !isBlocked { thread.join() }
    }
}

private final class ResolverShared: Sendable {
    struct State {
        var hosts: Set<String> = []
        var isStopped = false
        var isLookingUp = false
    }

    let doorbell: Doorbell
    let state = Lock(State())

    init(doorbell: Doorbell) {
        self.doorbell = doorbell
    }

    /// False when the thread must end instead.
    func beginLookUp(of host: String) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.isLookingUp = true
            return true
        }
    }

    /// Whether the answer is still wanted: asked in the same breath, so that `stop` either leaves
    /// the thread to itself or waits for its callback.
    func endLookUp(of host: String) -> Bool {
        state.withLock { state in
            state.isLookingUp = false
            return !state.isStopped && state.hosts.contains(host)
        }
    }
}

/// The thread's own state.
private struct ResolverWork {
    struct Watched {
        var due: Int64
        var addresses: Set<SocketAddress> = []
        var failure: String?
    }

    let shared: ResolverShared
    let interval: Int64
    let retry: Int64
    let lookUp: NameResolver.LookUp
    let onChange: @Sendable (String, [SocketAddress]) -> Void
    let onFailure: @Sendable (String, String) -> Void
    private var watched: [String: Watched] = [:]

    init(
        shared: ResolverShared, interval: Int64, retry: Int64,
        lookUp: @escaping NameResolver.LookUp,
        onChange: @escaping @Sendable (String, [SocketAddress]) -> Void,
        onFailure: @escaping @Sendable (String, String) -> Void
    ) {
        self.shared = shared
        self.interval = interval
        self.retry = retry
        self.lookUp = lookUp
        self.onChange = onChange
        self.onFailure = onFailure
    }

    mutating func run() {
        while let hosts = shared.state.withLock({ $0.isStopped ? nil : $0.hosts }) {
            follow(hosts)
            // One name at a time, so that a change of the names is seen between two look-ups.
            guard let (host, entry) = watched.min(by: { $0.value.due < $1.value.due }) else {
                shared.doorbell.wait(milliseconds: -1)
                continue
            }
            let wait = entry.due - Clock.now()
            if wait > 0 {
                shared.doorbell.wait(milliseconds: Int32(clamping: (wait + 999_999) / 1_000_000))
            } else {
                refresh(host, entry)
            }
        }
    }

    private mutating func follow(_ hosts: Set<String>) {
        watched = watched.filter { hosts.contains($0.key) }
        for host in hosts where watched[host] == nil { watched[host] = Watched(due: 0) }
    }

    private mutating func refresh(_ host: String, _ old: Watched) {
        guard shared.beginLookUp(of: host) else { return }
        let answer = Result { () throws(LookupError) in try lookUp(host) }
        guard shared.endLookUp(of: host) else { return }
        var entry = old
        switch answer {
        case .success(let addresses):
            entry.due = Clock.now() + interval
            entry.failure = nil
            // As a set: resolvers rotate the order of their answers.
            let found = Set(addresses)
            if found != entry.addresses { onChange(host, addresses) }
            entry.addresses = found
        case .failure(let error):
            entry.due = Clock.now() + min(retry, interval)
            if entry.failure != error.description { onFailure(host, error.description) }
            entry.failure = error.description
        }
        watched[host] = entry
    }
}
