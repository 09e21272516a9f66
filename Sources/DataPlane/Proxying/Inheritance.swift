// What a data plane passes on to the one of another process: its listening sockets with all that
// waits in their queues, and the keys of session tickets. Pure matching of old listeners and new
// ones; whoever holds an `Inheritance` owns its descriptors.

package import TLS
package import Traffic

package struct Inheritance: Sendable {
    package var listeners: [PassedListener]
    package var tickets: PassedTicketKeys?

    package init(listeners: [PassedListener] = [], tickets: PassedTicketKeys? = nil) {
        self.listeners = listeners
        self.tickets = tickets
    }

    /// Sockets of one listener may come in several pieces.
    package mutating func add(_ listener: PassedListener) {
        if let place = listeners.firstIndex(where: { $0.address == listener.address }) {
            listeners[place].descriptors += listener.descriptors
        } else {
            listeners.append(listener)
        }
    }
}

/// A listener of another process: on TCP with a socket for each of its loops.
package struct PassedListener: Sendable, Equatable {
    /// As its configuration had it, perhaps with port 0.
    package var address: NetworkAddress
    /// Where it really listens.
    package var bound: NetworkAddress
    package var descriptors: [Int32]

    package init(address: NetworkAddress, bound: NetworkAddress, descriptors: [Int32] = []) {
        self.address = address
        self.bound = bound
        self.descriptors = descriptors
    }
}

/// Passed listeners that no plan has asked for yet.
package struct PassedListeners {
    package private(set) var rest: [PassedListener]
    /// What has been asked for, as the other process calls it.
    package private(set) var taken: [NetworkAddress] = []

    package init(_ listeners: [PassedListener]) {
        rest = listeners
    }

    /// The one that listens where the plan wants to; what it was called before matters more than
    /// where it listens, so that port 0 stays the port that it was.
    package mutating func take(_ address: NetworkAddress) -> PassedListener? {
        guard let place = place(of: address) else { return nil }
        taken.append(rest[place].address)
        return rest.remove(at: place)
    }

    func has(_ address: NetworkAddress) -> Bool { place(of: address) != nil }

    private func place(of address: NetworkAddress) -> Int? {
        rest.firstIndex { $0.address == address } ?? rest.firstIndex { $0.bound == address }
    }

    mutating func forgetRest() { rest = [] }

    /// Each socket is some loop's, whatever the number of loops: one that nobody polls would keep
    /// its share of the connections.
    package static func shares(of descriptors: [Int32], loops: Int) -> [[Int32]] {
        (0..<loops).map { loop in
            stride(from: loop, to: descriptors.count, by: loops).map { descriptors[$0] }
        }
    }
}
