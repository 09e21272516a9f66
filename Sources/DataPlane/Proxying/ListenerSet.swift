// The listening sockets of the plan in force. New ones are opened, all of them, before a plan is
// taken; those that stay are not touched. A port that anybody else holds is an error, even where
// SO_REUSEPORT would let us share it.

import Reactor
import Traffic

struct ListenerSet {
    private struct Entry {
        let plan: ListenerPlan
        let bound: NetworkAddress
        let address: SocketAddress
    }

    private let loops: Int
    private var entries: [Entry] = []

    init(loops: Int) {
        self.loops = loops
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
        var fresh: [Entry] = []
        for plan in plans {
            // An address that stays keeps its socket; what else is said of it takes effect on it.
            if let known = entries.first(where: { $0.plan.address == plan.address }) {
                kept.append(Entry(plan: plan, bound: known.bound, address: known.address))
                continue
            }
            do throws(SystemError) {
                fresh.append(try open(plan, &opened))
            } catch {
                close(opened)
                throw .cannotListen(address: plan.address, reason: "\(error)")
            }
        }
        let addresses = Set(plans.map(\.address))
        for entry in entries where !addresses.contains(entry.plan.address) {
            Sockets.removeFile(of: entry.address)
        }
        entries = kept + fresh
        return opened
    }

    private func open(
        _ plan: ListenerPlan, _ opened: inout [[OpenListener]]
    ) throws(SystemError) -> Entry {
        switch plan.address {
        case .unix(let path):
            guard let address = SocketAddress(unixPath: path) else {
                throw SystemError(call: "bind", code: SystemError.nameTooLong)
            }
            let first = try Sockets.listen(on: address)
            for loop in 0..<loops {
                let descriptor = loop == 0 ? first : try Sockets.duplicate(first)
                opened[loop].append(
                    OpenListener(plan: plan, descriptor: descriptor, isShared: true))
            }
            return Entry(plan: plan, bound: plan.address, address: address)
        case .tcp(let host, let port):
            guard var address = SocketAddress(numeric: host, port: port) else {
                throw SystemError(call: "bind", code: SystemError.noSuchAddress)
            }
            // Where the port is our own already (a listener that moves to another host), a probe
            // would only find us.
            if port != 0, !isOurs(port) { try Sockets.probe(address) }
            for loop in 0..<loops {
                let descriptor = try Sockets.listen(on: address)
                // Port 0: the first socket decides for all.
                address = address.with(port: Sockets.boundPort(descriptor))
                opened[loop].append(
                    OpenListener(plan: plan, descriptor: descriptor, isShared: false))
            }
            return Entry(
                plan: plan, bound: .tcp(host: host, port: address.port), address: address)
        }
    }

    private func isOurs(_ port: UInt16) -> Bool {
        entries.contains { entry in
            if case .tcp(_, port) = entry.bound { true } else { false }
        }
    }

    /// Takes back what `open` gave out, when a later step has failed.
    func close(_ opened: [[OpenListener]]) {
        for listener in opened.joined() {
            Sockets.close(listener.descriptor)
            if case .unix(let path) = listener.plan.address,
                let address = SocketAddress(unixPath: path)
            {
                Sockets.removeFile(of: address)
            }
        }
    }

    /// Nobody finds the unix listeners any more; whoever waits in their queues is still served.
    mutating func removeFiles() {
        for entry in entries { Sockets.removeFile(of: entry.address) }
        entries = []
    }
}
