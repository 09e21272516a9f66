// What a shim has written about its replica: two slots of one file, the newer whole one counts.
// Pure: bytes in, value out; bytes that are not a shim's are no status.

package import Foundation

package struct ShimStatus: Sendable, Equatable {
    package enum State: String, Sendable {
        case starting, running, ending, exited, failed
    }

    package var sequence = 0
    package var nonce = ""
    package var boot = ""
    package var state = State.starting
    package var shim: ProcessIdentity
    /// Nil before there is one.
    package var child: ProcessIdentity?
    package var started: Date?
    package var ended: Date?
    package var request = EndCircumstances.Request.none
    package var residentBytesMax = 0
    package var cpuSeconds = 0.0
    package var lostLines = 0
    package var unkillable = 0
    package var exit: ReplicaExit?
    package var failure: Failure?

    package struct Failure: Sendable, Equatable {
        package var step: String
        package var error: Int32

        package init(step: String, error: Int32) {
            self.step = step
            self.error = error
        }
    }

    package static let slotBytes = 2048

    /// A whole file.
    package init?(file: [UInt8]) {
        let slots = stride(from: 0, to: file.count, by: Self.slotBytes).prefix(2)
        let known = slots.compactMap { start in
            ShimStatus(slot: file[start..<min(start + Self.slotBytes, file.count)])
        }
        guard let newest = known.max(by: { $0.sequence < $1.sequence }) else { return nil }
        self = newest
    }

    /// One slot: text, its checksum in the last line, then padding.
    package init?(slot: ArraySlice<UInt8>) {
        let text = slot.prefix { $0 != 0 }
        let mark = Array("sum ".utf8)
        guard let start = text.lastRange(of: mark)?.lowerBound,
            let sum = UInt64(
                String(decoding: text[start...].dropFirst(mark.count).dropLast(), as: UTF8.self),
                radix: 16),
            sum == Self.checksum(text[..<start])
        else { return nil }
        self.init(text: String(decoding: text[..<start], as: UTF8.self))
    }

    /// As the control socket tells it.
    package init?(text: String) {
        var lines: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { lines[parts[0]] = parts[1] }
        }
        let boot = String(lines["boot"] ?? "")
        guard lines["penstock-replica"] == "1", let nonce = lines["nonce"],
            let state = lines["state"].flatMap({ State(rawValue: String($0)) }),
            let shim = Self.identity(lines["shim"], boot)
        else { return nil }
        self.shim = shim
        self.boot = boot
        self.nonce = String(nonce)
        self.state = state
        child = Self.identity(lines["child"], boot)
        read(lines)
    }

    private mutating func read(_ lines: [Substring: Substring]) {
        func number(_ key: Substring) -> Int { lines[key].flatMap { Int($0) } ?? 0 }
        func time(_ key: Substring) -> Date? {
            let milliseconds = number(key)
            return milliseconds > 0 ? Date(timeIntervalSince1970: Double(milliseconds) / 1000) : nil
        }
        sequence = number("sequence")
        started = time("started")
        ended = time("ended")
        request = lines["requested"].flatMap { .init(rawValue: String($0)) } ?? .none
        residentBytesMax = number("resident_kib") * 1024
        cpuSeconds = Double(number("cpu_milliseconds")) / 1000
        lostLines = number("dropped_lines")
        unkillable = number("unkillable")
        exit = lines["exit"].flatMap(Self.exit)
        failure = lines["failed"].flatMap(Self.failure)
    }

    private static func identity(_ text: Substring?, _ boot: String) -> ProcessIdentity? {
        let parts = (text ?? "").split(separator: " ")
        guard parts.count == 2, let process = Int32(parts[0]), process > 1,
            let ticks = UInt64(parts[1])
        else { return nil }
        return ProcessIdentity(process: process, startTicks: ticks, boot: boot)
    }

    private static func exit(_ text: Substring) -> ReplicaExit? {
        let parts = text.split(separator: " ")
        guard parts.count >= 2, let number = Int32(parts[1]) else { return nil }
        switch parts[0] {
        case "code": return .code(number)
        case "signal": return .signal(number, dumped: parts.last == "dumped")
        default: return nil
        }
    }

    /// `2 run the program`, as the status and the channel say it.
    package static func failure(_ text: Substring) -> Failure? {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let error = Int32(parts[0]) else { return nil }
        return Failure(step: String(parts[1]), error: error)
    }

    /// FNV-1a, as the shim computes it.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func lastRange(of mark: [UInt8]) -> Range<Int>? {
        guard count >= mark.count else { return nil }
        let starts = (startIndex...(endIndex - mark.count)).reversed()
        return starts.first { self[$0..<($0 + mark.count)].elementsEqual(mark) }.map {
            $0..<($0 + mark.count)
        }
    }
}
