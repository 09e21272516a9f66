// One process as /proc/PID/stat tells it, and who descends from whom. Pure.

package struct ProcessStat: Sendable, Equatable {
    package var process: Int32
    package var state: UInt8
    package var parent: Int32
    package var group: Int32
    package var session: Int32
    /// Ticks in user and system mode: its own, and of children that it has waited for.
    package var ownTicks: Int
    package var childrenTicks: Int
    package var startTicks: UInt64
    package var residentPages: Int

    /// The name in parentheses may hold spaces and parentheses: count from the last one.
    package init?(_ text: some Sequence<UInt8>) {
        let bytes = Array(text)
        guard let close = bytes.lastIndex(of: UInt8(ascii: ")")),
            let open = bytes.firstIndex(of: UInt8(ascii: "(")),
            let process = Self.number(bytes[..<open].filter { $0 != UInt8(ascii: " ") }[...])
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
        // The first field here is the third of the page proc(5).
        guard fields.count > 21, let state = fields[0].first else { return nil }
        let numbers = (1...21).map { Self.number(fields[$0]) ?? 0 }
        func field(_ index: Int) -> Int { numbers[index - 4] }
        self.process = Int32(truncatingIfNeeded: process)
        self.state = state
        parent = Int32(truncatingIfNeeded: field(4))
        group = Int32(truncatingIfNeeded: field(5))
        session = Int32(truncatingIfNeeded: field(6))
        ownTicks = field(14) + field(15)
        childrenTicks = field(16) + field(17)
        startTicks = UInt64(max(0, field(22)))
        residentPages = field(24)
    }

    package var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        var rest = digits
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        for digit in rest {
            guard digit >= 48, digit <= 57 else { return nil }
            let (times, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, more) = times.addingReportingOverflow(Int(digit) - 48)
            // Some fields are unsigned and have all bits set; none of those is wanted.
            if over || more { return Int.max }
            value = sum
        }
        return isNegative ? -value : value
    }
}

/// All processes at one moment.
package struct ProcessTable: Sendable {
    package let processes: [ProcessStat]
    private let children: [Int32: [ProcessStat]]

    package init(_ processes: [ProcessStat]) {
        self.processes = processes
        children = Dictionary(grouping: processes, by: \.parent)
    }

    /// Without the process itself.
    package func descendants(of process: Int32) -> [ProcessStat] {
        var found: [ProcessStat] = []
        var seen: Set = [process]
        var next = children[process] ?? []
        while let one = next.popLast() {
            // A table read while processes come and go may hold a circle.
            guard seen.insert(one.process).inserted else { continue }
            found.append(one)
            next += children[one.process] ?? []
        }
        return found
    }

    /// What a replica uses, from all that descends from its shim. A process that ended counts
    /// through whoever waited for it, in the last place the shim.
    package func reading(shim: ProcessStat, ticksPerSecond: Int, pageBytes: Int) -> UsageReading {
        let members = descendants(of: shim.process)
        let ticks = members.reduce(shim.childrenTicks) { $0 + $1.ownTicks + $1.childrenTicks }
        return UsageReading(
            cpuMicroseconds: ticks * (1_000_000 / ticksPerSecond),
            memoryBytes: members.reduce(0) { $0 + $1.residentPages } * pageBytes,
            processes: members.count { !$0.isZombie })
    }
}
