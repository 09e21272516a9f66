// The output of one replica name on disk: runs, each in segments named by run and first byte. The
// replica's shim writes and removes segments; this reads, also while it does.

import Foundation

package struct LogFolder: Sendable {
    package struct Segment: Sendable, Equatable {
        var run: Int
        var first: UInt64
        var path: String
    }

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// In order.
    package func segments() -> [Segment] {
        // No folder: nothing was ever written.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap(segment).sorted { ($0.run, $0.first) < ($1.run, $1.first) }
    }

    /// `000003-00000000000000196608.log`.
    private func segment(_ name: String) -> Segment? {
        guard name.hasSuffix(".log") else { return nil }
        let parts = name.dropLast(4).split(separator: "-")
        guard parts.count == 2, let run = Int(parts[0]), let first = UInt64(parts[1]) else {
            return nil
        }
        return Segment(run: run, first: first, path: path + "/" + name)
    }

    /// Ascending.
    package func runs() -> [Int] {
        Set(segments().map(\.run)).sorted()
    }

    /// Removes all but the newest runs.
    package func prune(keeping count: Int) {
        let old = runs().dropLast(count)
        for segment in segments() where old.contains(segment.run) {
            // Gone already is as good.
            try? FileManager.default.removeItem(atPath: segment.path)
        }
    }

    package func number(of run: LogQuery.Run) -> Int? {
        let runs = runs()
        switch run {
        case .current: return runs.last
        case .previous: return runs.dropLast().last
        case .number(let number): return runs.contains(number) ? number : nil
        }
    }

    package func page(_ query: LogQuery) throws(ReplicaError) -> LogPage {
        guard let run = number(of: query.run) else {
            throw .noSuchLog("\(query.replica), run \(query.run)")
        }
        let extent = LogExtent(segments().filter { $0.run == run })
        switch query.from {
        case .first: return page(extent, run, from: extent.first, query)
        case .offset(let offset): return page(extent, run, from: offset, query)
        case .last(let lines): return tail(extent, run, lines: lines, query)
        case .since(let time):
            return page(extent, run, from: start(of: time, extent), query)
        }
    }

    private func page(
        _ extent: LogExtent, _ run: Int, from start: UInt64, _ query: LogQuery
    ) -> LogPage {
        let from = max(extent.first, min(start, extent.end))
        let cut = LogCut(extent.bytes(from: from, count: query.maxBytes), at: from)
        let lines = cut.lines.prefix(query.maxLines)
        let next = lines.count < cut.lines.count ? cut.lines[lines.count].offset : cut.next
        return LogPage(
            run: run, lines: Array(lines), next: next, first: extent.first, end: extent.end)
    }

    /// Backwards in growing steps, until enough lines are seen.
    private func tail(
        _ extent: LogExtent, _ run: Int, lines wanted: Int, _ query: LogQuery
    ) -> LogPage {
        let wanted = max(0, min(wanted, query.maxLines))
        var count = 16 * 1024
        while true {
            let size = min(count, query.maxBytes)
            let from = extent.end - min(UInt64(size), extent.end - extent.first)
            let cut = LogCut(
                extent.bytes(from: from, count: size), at: from,
                beginsWithinLine: from > extent.first)
            if cut.lines.count >= wanted || from == extent.first || size == query.maxBytes {
                return LogPage(
                    run: run, lines: cut.lines.suffix(wanted), next: cut.next,
                    first: extent.first, end: extent.end)
            }
            count *= 4
        }
    }

    /// The first byte of a line not older than `time`: by halves, because times only grow.
    private func start(of time: Date, _ extent: LogExtent) -> UInt64 {
        var (low, high) = (extent.first, extent.end)
        while high - low > 64 * 1024 {
            let middle = low + (high - low) / 2
            let probe = LogCut(
                extent.bytes(from: middle, count: 64 * 1024), at: middle, beginsWithinLine: true)
            guard let line = probe.lines.first else { break }
            // After a stretch that is no lines, the next one may lie beyond `high`.
            if line.time < time { low = min(line.offset, high) } else { high = middle }
        }
        let cut = LogCut(
            extent.bytes(from: low, count: 128 * 1024), at: low,
            beginsWithinLine: false)
        return cut.lines.first { $0.time >= time }?.offset ?? cut.next
    }
}

/// What is kept of one run.
package struct LogExtent: Sendable {
    private let segments: [LogFolder.Segment]
    package let end: UInt64

    package init(_ segments: [LogFolder.Segment]) {
        self.segments = segments
        end = segments.last.map { $0.first + Self.size($0) } ?? 0
    }

    package var first: UInt64 { segments.first?.first ?? 0 }

    /// At most `count` bytes from an offset, across segments. A segment that was removed meanwhile
    /// ends them: offsets after it would be wrong.
    package func bytes(from start: UInt64, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, segment) in segments.enumerated() {
            let position = start + UInt64(bytes.count)
            let isLast = index == segments.count - 1
            let limit = isLast ? end : segments[index + 1].first
            guard position >= segment.first, position < limit, bytes.count < count else { continue }
            let wanted = min(UInt64(count - bytes.count), limit - position)
            guard let file = FileHandle(forReadingAtPath: segment.path) else { break }
            // Closed when it goes out of scope; what cannot be read ends the bytes.
            guard (try? file.seek(toOffset: position - segment.first)) != nil,
                let read = try? file.read(upToCount: Int(wanted))
            else { break }
            bytes += read
            if UInt64(read.count) < wanted { break }
        }
        return bytes
    }

    private static func size(_ segment: LogFolder.Segment) -> UInt64 {
        // Removed meanwhile: nothing of it can be read.
        let attributes = try? FileManager.default.attributesOfItem(atPath: segment.path)
        return attributes?[.size] as? UInt64 ?? 0
    }
}

/// Bytes cut into lines. Pure.
package struct LogCut: Sendable, Equatable {
    package var lines: [LogLine] = []
    /// After the last whole line.
    package var next: UInt64

    package init(_ bytes: [UInt8], at start: UInt64, beginsWithinLine: Bool = false) {
        next = start
        var rest = bytes[...]
        var isSkipping = beginsWithinLine
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let offset = start + UInt64(rest.startIndex)
            // A line torn by a full disk, or not a shim's, is no line.
            if !isSkipping, let line = LogLine(rest[..<newline], offset: offset) {
                lines.append(line)
            }
            isSkipping = false
            rest = rest[(newline + 1)...]
            next = start + UInt64(rest.startIndex)
        }
    }
}

extension LogFolder {
    /// Folders of replica names that nobody runs, the one silent longest first.
    package static func silent(in root: String, except known: Set<String>) -> [String] {
        let files = FileManager.default
        // No folder: nothing was ever written.
        let names = (try? files.contentsOfDirectory(atPath: root)) ?? []
        let dated = names.filter { !known.contains($0) }.map { name in
            let path = root + "/" + name
            // Gone meanwhile sorts first and is removed for nothing.
            let attributes = try? files.attributesOfItem(atPath: path)
            return (path, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        return dated.sorted { $0.1 > $1.1 }.map(\.0)
    }
}

extension LogFolder {
    /// The end of both outputs, for a dossier.
    package func lastWords(of run: Int) -> (out: [String], error: [String]) {
        let query = LogQuery(
            deployment: "", replica: "", run: .number(run),
            from: .last(lines: 20 * Limits.dossierLines), maxBytes: 16 * Limits.dossierBytes)
        // A replica that never wrote has no last words.
        guard let page = try? page(query) else { return ([], []) }
        func last(_ stream: LogLine.Stream) -> [String] {
            var bytes = 0
            let lines = page.lines.reversed().lazy.filter { $0.stream == stream }
            return lines.prefix(Limits.dossierLines).prefix { line in
                bytes += line.text.utf8.count
                return bytes <= Limits.dossierBytes
            }.map(\.text).reversed()
        }
        return (last(.out), last(.error))
    }
}
