// The listening sockets of the plan in force. New ones are opened, all of them, before a plan is
// taken; those that stay are not touched. A port that anybody else holds is an error, even where
// SO_REUSEPORT would let us share it. Sockets of a process that is succeeded are taken over as they
// are, connections in their queues included.

import Reactor
import Traffic

struct ListenerSet {
    private struct Entry {
        let plan: ListenerPlan
        let bound: NetworkAddress
        let address: SocketAddress
        /// The loops own and close them.
        let descriptors: [Int32]

        func with(_ plan: ListenerPlan) -> Entry {
            Entry(plan: plan, bound: bound, address: address, descriptors: descriptors)
        }
    }

    private let loops: Int
    private var entries: [Entry] = []
    private var passed: PassedListeners

    init(loops: Int, passed: [PassedListener] = []) {
        self.loops = loops
        self.passed = PassedListeners(passed)
    }

    /// Which passed listeners a plan has asked for, as the other process calls them.
    var taken: [NetworkAddress] { passed.taken }

    /// Every listener with descriptors of its own, for another process.
    func duplicates() throws(SystemError) -> [PassedListener] {
        var copies: [PassedListener] = []
        do throws(SystemError) {
            for entry in entries {
                var copy = PassedListener(address: entry.plan.address, bound: entry.bound)
                for descriptor in entry.descriptors {
                    copy.descriptors.append(try Sockets.duplicate(descriptor))
                }
                copies.append(copy)
            }
        } catch {
            for descriptor in copies.flatMap(\.descriptors) { Sockets.close(descriptor) }
            throw error
        }
        return copies
    }

    /// Passed listeners that no plan wants stay the other process's alone.
    mutating func closeUnwanted() {
        for descriptor in passed.rest.flatMap(\.descriptors) { Sockets.close(descriptor) }
        passed.forgetRest()
    }

    var boundAddresses: [NetworkAddress] { entries.map(\.bound) }

    /// Opens what is new in the plans and forgets what is gone from them.
    ///
    /// - Returns: per loop, what it is to take over.
    mutating func open(
        _ plans: [ListenerPlan]
    ) throws(TrafficPlanError) -> [[OpenListener]] {
        var opened = [[OpenListener]](repeating: [], count: loops)
        var kept: [Entry] = []
        var fresh: [(place: Int, entry: Entry)] = []
        // What can fail comes first: a socket that is added to those taken over has its share of
        // the connections at once, and closing it again would lose them.
        let places = plans.indices.sorted { left, right in
            !passed.has(plans[left].address) && passed.has(plans[right].address)
        }
        for place in places {
            let plan = plans[place]
            // An address that stays keeps its socket; what else is said of it takes effect on it.
            if let known = entries.first(where: { $0.plan.address == plan.address }) {
                kept.append(known.with(plan))
                continue
            }
            do throws(SystemError) {
                fresh.append((place, try open(plan, &opened)))
            } catch {
                close(opened)
                throw .cannotListen(address: plan.address, reason: "\(error)")
            }
        }
        let addresses = Set(plans.map(\.address))
        for entry in entries where !addresses.contains(entry.plan.address) {
            Sockets.removeFile(of: entry.address)
        }
        entries = kept + fresh.sorted { $0.place < $1.place }.map(\.entry)
        return opened
    }

    private mutating func open(
        _ plan: ListenerPlan, _ opened: inout [[OpenListener]]
    ) throws(SystemError) -> Entry {
        if let heir = passed.take(plan.address) { return try adopt(heir, as: plan, &opened) }
        switch plan.address {
        case .unix(let path):
            guard let address = SocketAddress(unixPath: path) else {
                throw SystemError(call: "bind", code: SystemError.nameTooLong)
            }
            let first = try Sockets.listen(on: address)
            try share(first, plan, &opened)
            return Entry(plan: plan, bound: plan.address, address: address, descriptors: [first])
        case .tcp(let host, let port):
            guard var address = SocketAddress(numeric: host, port: port) else {
                throw SystemError(call: "bind", code: SystemError.noSuchAddress)
            }
            // Where the port is our own already (a listener that moves to another host), a probe
            // would only find us.
            if port != 0, !isOurs(port) { try Sockets.probe(address) }
            var descriptors: [Int32] = []
            for loop in 0..<loops {
                let descriptor = try Sockets.listen(on: address)
                // Port 0: the first socket decides for all.
                address = address.with(port: Sockets.boundPort(descriptor))
                descriptors.append(descriptor)
                opened[loop].append(
                    OpenListener(plan: plan, descriptor: descriptor, isShared: false))
            }
            return Entry(
                plan: plan, bound: .tcp(host: host, port: address.port), address: address,
                descriptors: descriptors)
        }
    }

    /// All loops poll one socket, each through a descriptor of its own.
    private func share(
        _ first: Int32, _ plan: ListenerPlan, _ opened: inout [[OpenListener]],
        isInherited: Bool = false
    ) throws(SystemError) {
        for loop in 0..<loops {
            let descriptor = loop == 0 ? first : try Sockets.duplicate(first)
            opened[loop].append(
                OpenListener(
                    plan: plan, descriptor: descriptor, isShared: true, isInherited: isInherited))
        }
    }

    /// Loops beyond the sockets passed get new ones; sockets beyond the loops are shared out.
    private func adopt(
        _ heir: PassedListener, as plan: ListenerPlan, _ opened: inout [[OpenListener]]
    ) throws(SystemError) -> Entry {
        var descriptors = heir.descriptors
        guard case .tcp(let host, let port) = heir.bound else {
            guard case .unix(let path) = heir.bound, let address = SocketAddress(unixPath: path),
                let first = descriptors.first
            else { throw SystemError(call: "bind", code: SystemError.nameTooLong) }
            try share(first, plan, &opened, isInherited: true)
            return Entry(plan: plan, bound: heir.bound, address: address, descriptors: [first])
        }
        guard let address = SocketAddress(numeric: host, port: port) else {
            throw SystemError(call: "bind", code: SystemError.noSuchAddress)
        }
        while descriptors.count < loops { descriptors.append(try Sockets.listen(on: address)) }
        for (loop, own) in PassedListeners.shares(of: descriptors, loops: loops).enumerated() {
            for descriptor in own {
                opened[loop].append(
                    OpenListener(
                        plan: plan, descriptor: descriptor, isShared: false, isInherited: true))
            }
        }
        return Entry(plan: plan, bound: heir.bound, address: address, descriptors: descriptors)
    }

    private func isOurs(_ port: UInt16) -> Bool {
        (entries.map(\.bound) + passed.rest.map(\.bound)).contains { bound in
            if case .tcp(_, port) = bound { true } else { false }
        }
    }

    /// Takes back what `open` gave out, when a later step has failed.
    func close(_ opened: [[OpenListener]]) {
        for listener in opened.joined() {
            Sockets.close(listener.descriptor)
            // The other process still listens there.
            if listener.isInherited { continue }
            if case .unix(let path) = listener.plan.address,
                let address = SocketAddress(unixPath: path)
            {
                Sockets.removeFile(of: address)
            }
        }
    }

    /// Nobody finds the unix listeners any more; whoever waits in their queues is still served.
    mutating func removeFiles(passedOn: Set<NetworkAddress> = []) {
        for entry in entries where !passedOn.contains(entry.plan.address) {
            Sockets.removeFile(of: entry.address)
        }
        entries = []
    }
}
