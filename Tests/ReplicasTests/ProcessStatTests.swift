// Processes as the kernel tells them, sums over a replica's tree, and rates between two looks.

import Foundation
import Replicas
import Testing

@Suite struct ProcessStatTests {
    /// As proc(5) has it; names may hold anything.
    private static func line(
        _ process: Int, parent: Int, name: String = "sh", user: Int = 0, waited: Int = 0,
        pages: Int = 0
    ) -> String {
        "\(process) (\(name)) S \(parent) 7 8 0 -1 4194304 1 2 3 4 \(user) 5 \(waited) 0 20 0 1 0 "
            + "4711 1000000 \(pages) 18446744073709551615 1 2 3"
    }

    private static func stat(_ line: String) throws -> ProcessStat {
        try #require(ProcessStat(line.utf8))
    }

    @Test func `a line of the kernel is read, also with a name made to mislead`() throws {
        let stat = try Self.stat(
            Self.line(42, parent: 7, name: "a) S 1 (b", user: 10, waited: 3, pages: 25))
        #expect(stat.process == 42)
        #expect(stat.parent == 7)
        #expect(stat.group == 7)
        #expect(stat.session == 8)
        #expect(stat.ownTicks == 15)
        #expect(stat.childrenTicks == 3)
        #expect(stat.startTicks == 4711)
        #expect(stat.residentPages == 25)
        #expect(!stat.isZombie)
    }

    @Test(arguments: ["", "1", "1 (sh", "1 (sh) S", "x (sh) S 1 2 3"])
    func `less than a line is no process`(text: String) {
        #expect(ProcessStat(text.utf8) == nil)
    }

    @Test func `a replica uses what its shim's descendants use and what those used that ended`()
        throws
    {
        let table = ProcessTable(
            try [
                Self.line(10, parent: 1, user: 1000, waited: 50, pages: 900),
                Self.line(11, parent: 10, user: 20, waited: 5, pages: 100),
                Self.line(12, parent: 11, user: 7, pages: 10),
                Self.line(99, parent: 1, user: 777, pages: 777),
            ].map(Self.stat))
        let shim = try #require(table.processes.first)

        let reading = table.reading(shim: shim, ticksPerSecond: 100, pageBytes: 4096)

        // Each line has 5 ticks in system mode; the shim's own time is not the replica's.
        #expect(reading.cpuMicroseconds == (50 + 25 + 5 + 12) * 10_000)
        #expect(reading.memoryBytes == 110 * 4096)
        #expect(reading.processes == 2)
    }

    @Test func `a table read in motion may hold a circle and is survived`() throws {
        let table = ProcessTable(
            try [Self.line(10, parent: 11), Self.line(11, parent: 10)].map(Self.stat))
        #expect(table.descendants(of: 10).map(\.process) == [11])
    }

    @Test func `cores are time used by time gone`() throws {
        var meter = UsageMeter()
        let (begin, wall) = (ContinuousClock.now, Date())
        func reading(_ milliseconds: Int) -> UsageReading {
            UsageReading(cpuMicroseconds: milliseconds * 1000, memoryBytes: 5, processes: 2)
        }
        #expect(meter.sample(reading(100), at: begin, wall: wall) == nil)
        let sample = meter.sample(reading(3100), at: begin + .seconds(2), wall: wall)
        #expect(sample?.cores == 1.5)
        #expect(sample?.memoryBytes == 5)
        let backwards = meter.sample(reading(0), at: begin + .seconds(4), wall: wall)
        #expect(backwards?.cores == 0, "processes that vanished took their time along")
        #expect(meter.sample(reading(0), at: begin + .seconds(4), wall: wall) == nil)
    }
}
