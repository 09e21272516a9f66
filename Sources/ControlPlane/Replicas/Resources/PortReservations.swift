// Ports for replicas that listen on TCP. Each is given to one live replica only; whether some other
// program has it is asked of the system through `isFree`. Pure otherwise.

package struct PortReservations: Sendable {
    private let range: Range<Int>
    private var holders: [Int: String] = [:]
    private var next: Int

    /// `start` spreads several Penstocks of one machine over the range.
    package init(range: Range<Int> = Limits.ports, start: Int = 0) {
        self.range = range
        next = range.lowerBound + start % range.count
    }

    /// A port that nobody had lately, so that a client of the one before cannot meet the new one.
    package mutating func take(
        for replica: String, isFree: (Int) -> Bool
    ) throws(ReplicaError) -> Int {
        for _ in range {
            let port = next
            next = port + 1 < range.upperBound ? port + 1 : range.lowerBound
            if holders[port] == nil, isFree(port) {
                holders[port] = replica
                return port
            }
        }
        throw .noCapacity("no free port from \(range.lowerBound) to \(range.upperBound - 1)")
    }

    package mutating func restore(_ port: Int, to replica: String) {
        holders[port] = replica
    }

    package mutating func release(_ replica: String) {
        holders = holders.filter { $0.value != replica }
    }
}
