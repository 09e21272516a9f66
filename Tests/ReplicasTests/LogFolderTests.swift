// Reading output that a shim wrote: pages by offset, by count and by time, across segments, and
// lines that are none.

import Foundation
import Replicas
import Testing

@Suite struct LogFolderTests {
    private let scratch = Scratch()

    /// `count` lines, one a second, in segments of `each`.
    private func write(run: Int = 1, count: Int, each: Int) throws -> LogFolder {
        try FileManager.default.createDirectory(
            atPath: scratch.path, withIntermediateDirectories: true)
        var offset = 0
        for start in stride(from: 0, to: count, by: each) {
            let lines = (start..<min(start + each, count)).map { number in
                let time = String(format: "2026-01-31T12:%02d:%02d", number / 60, number % 60)
                return
                    "\(time).000000000Z \(number % 2 == 0 ? "stdout" : "stderr") F line \(number)\n"
            }.joined()
            let name = String(format: "%06d-%020d.log", run, offset)
            try lines.write(
                toFile: scratch.path + "/" + name, atomically: false, encoding: .utf8)
            offset += lines.utf8.count
        }
        return LogFolder(path: scratch.path)
    }

    private func query(_ from: LogQuery.Start, lines: Int = 1000, bytes: Int = 1 << 20)
        -> LogQuery
    {
        LogQuery(deployment: "d", replica: "r", from: from, maxLines: lines, maxBytes: bytes)
    }

    private func numbers(_ page: LogPage) -> [Int] {
        page.lines.compactMap { Int($0.text.dropFirst(5)) }
    }

    @Test func `pages follow each other across segments, without a gap or a repeat`() throws {
        let folder = try write(count: 100, each: 7)
        var (start, seen): (LogQuery.Start, [Int]) = (.first, [])
        while true {
            let page = try folder.page(query(start, lines: 9, bytes: 500))
            seen += numbers(page)
            if page.isComplete { break }
            start = .offset(page.next)
        }
        #expect(seen == Array(0..<100))
    }

    @Test func `the last lines are found from the end`() throws {
        let folder = try write(count: 1000, each: 300)
        #expect(numbers(try folder.page(query(.last(lines: 3)))) == [997, 998, 999])
        #expect(numbers(try folder.page(query(.last(lines: 700)))) == Array(300..<1000))
        #expect(numbers(try folder.page(query(.last(lines: 0)))) == [])
        #expect(numbers(try folder.page(query(.last(lines: 5000), lines: 5000))).count == 1000)
    }

    @Test func `lines since a time are found by halves`() throws {
        let folder = try write(count: 3000, each: 1000)
        let noon = try #require(ISO8601DateFormatter().date(from: "2026-01-31T12:00:00Z"))
        for second in [0, 1, 59, 1500, 2999] {
            let page = try folder.page(query(.since(noon + TimeInterval(second)), lines: 2))
            #expect(numbers(page).first == second)
        }
        #expect(numbers(try folder.page(query(.since(noon + 9000)))) == [])
        #expect(numbers(try folder.page(query(.since(noon - 9000), lines: 1))) == [0])
    }

    @Test func `what was rotated away moves the beginning, not the offsets`() throws {
        let folder = try write(count: 100, each: 10)
        let before = try folder.page(query(.last(lines: 1)))
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
        for name in names.prefix(5) {
            try FileManager.default.removeItem(atPath: scratch.path + "/" + name)
        }
        let page = try folder.page(query(.offset(0), lines: 1))
        #expect(numbers(page) == [50])
        #expect(page.first == page.lines[0].offset)
        #expect(try folder.page(query(.last(lines: 1))).lines == before.lines)
    }

    @Test func `runs are told apart, and old ones pruned`() throws {
        for run in 1...5 { _ = try write(run: run, count: run, each: 10) }
        let folder = LogFolder(path: scratch.path)
        #expect(folder.runs() == [1, 2, 3, 4, 5])
        var query = query(.first)
        #expect(try folder.page(query).lines.count == 5)
        query.run = .previous
        #expect(try folder.page(query).lines.count == 4)
        query.run = .number(2)
        #expect(try folder.page(query).lines.count == 2)
        folder.prune(keeping: 2)
        #expect(folder.runs() == [4, 5])
        #expect(throws: ReplicaError.self) { try folder.page(query) }
    }

    @Test func `lines that are no shim's are passed over`() throws {
        let good = "2026-01-31T12:00:00.000000001Z stderr P a b  c\r\n"
        let text =
            "garbage\n\n2026 stdout F x\n\(good)2026-01-31T12:00:00.000000000Z other F x\ncut"
        let cut = LogCut(Array(text.utf8), at: 100)
        #expect(cut.lines.map(\.text) == ["a b  c"])
        #expect(cut.lines.first?.isPartial == true)
        #expect(cut.lines.first?.stream == .error)
        #expect(cut.lines.first?.offset == 125)
        #expect(cut.next == 100 + UInt64(text.utf8.count) - 3)
    }

    @Test func `times are those of the calendar`() throws {
        for text in ["2026-01-31T12:34:56Z", "2024-02-29T00:00:00Z", "1999-12-31T23:59:59Z"] {
            let date = try #require(ISO8601DateFormatter().date(from: text))
            let line = text.dropLast() + ".000000000Z stdout F x"
            #expect(LogLine(Array(line.utf8)[...], offset: 0)?.time == date)
        }
    }

    @Test func `a dossier can be read again, the newest first, and there are not too many`() {
        let folder = DossierFolder(path: scratch.path + "/dossiers")
        #expect(folder.all() == [])
        for number in 0..<70 {
            folder.add(
                CrashDossier(
                    replica: "iris-0", deployment: "iris", revision: 1, run: number, model: "m",
                    version: "v", startedAt: Date(timeIntervalSince1970: 1000),
                    endedAt: Date(timeIntervalSince1970: 2000 + Double(number)),
                    exit: .signal(9, dumped: false), cause: "killed", commandLine: ["a"],
                    lastOut: ["x"], lastError: [], lostLines: 0, residentBytesMax: 5,
                    cpuSeconds: 0.5, resources: ReplicaResources(memoryBytes: 7),
                    enforcement: [.memory: .enforced(by: .watch)], gpus: []))
        }
        let all = folder.all()
        #expect(all.map(\.run) == Array((6..<70).reversed()))
        #expect(all.first?.exit == .signal(9, dumped: false))
        #expect(all.first?.enforcement == [.memory: .enforced(by: .watch)])
        #expect(all.first?.seconds == 1069)
    }
}
