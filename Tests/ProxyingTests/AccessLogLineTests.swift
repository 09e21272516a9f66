// A line of the access log is valid JSON in valid UTF-8, whatever bytes a client has sent; a JSON
// parser that is not ours reads it.

import Foundation
import Proxying
import Reactor
import Testing
import Traffic

@Suite struct AccessLogLineTests {
    @Test func `a request becomes one line with its fields in order`() {
        var record = AccessLogRecord()
        record.wallMilliseconds = 1_795_229_955_007
        record.method = Bytes("POST")
        record.path = Bytes("/v2/models/iris/infer?x=1")
        record.status = 200
        record.service = Bytes("iris")
        record.revision = Bytes("v2")
        record.endpoint = Bytes("unix:/run/a.sock")
        record.client = PeerAddress(ipv4: 0xc000_0207, port: 9)
        record.requestID = Bytes("0f-1")
        record.bytesIn = 4096
        record.bytesOut = .max
        record.durationNanoseconds = 12_345_678
        record.firstByteNanoseconds = 999
        record.connectNanoseconds = 1_000_000
        record.retries = 1
        #expect(
            text(of: record) == """
                {"time":"2026-11-21T02:59:15.007Z","method":"POST",\
                "path":"/v2/models/iris/infer?x=1","status":200,"service":"iris",\
                "revision":"v2","endpoint":"unix:/run/a.sock","client":"192.0.2.7",\
                "request_id":"0f-1","bytes_in":4096,"bytes_out":18446744073709551615,\
                "duration_ms":12.345,"first_byte_ms":0.000,"connect_ms":1.000,"retries":1,\
                "outcome":"success","error":""}

                """)
    }

    @Test func `times that do not exist are left out`() throws {
        var record = AccessLogRecord()
        record.outcome = .overload
        record.error = Bytes("no_capacity")
        let fields = try parse(text(of: record))
        #expect(fields["first_byte_ms"] == nil && fields["connect_ms"] == nil)
        #expect(fields["duration_ms"] as? Double == 0 && fields["bytes_in"] as? Int == 0)
        #expect(fields["outcome"] as? String == "overload")
        #expect(fields["error"] as? String == "no_capacity")
        #expect(fields["grpc_status"] == nil)
    }

    @Test func `a call's status has a field of its own`() throws {
        var record = AccessLogRecord()
        record.grpcStatus = Bytes("unavailable")
        let fields = try parse(text(of: record))
        #expect(fields["grpc_status"] as? String == "unavailable")
        #expect(fields["outcome"] as? String == "success")
    }

    @Test(arguments: Outcome.allCases)
    func `outcomes have their usual names`(outcome: Outcome) throws {
        var record = AccessLogRecord()
        record.outcome = outcome
        #expect(try parse(text(of: record))["outcome"] as? String == outcome.label)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_010, "2024-02-29T23:59:59.010Z"),
        (1_735_689_600_000, "2025-01-01T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ])
    func `times follow the calendar`(milliseconds: Int64, expected: String) throws {
        var record = AccessLogRecord()
        record.wallMilliseconds = milliseconds
        #expect(try parse(text(of: record))["time"] as? String == expected)
    }

    @Test func `one formatter serves many seconds`() throws {
        var line = AccessLogLine()
        for second in [5, 5, 6, 4] as [Int64] {
            var record = AccessLogRecord()
            record.wallMilliseconds = second * 1000 + 1
            let fields = try parse(
                unsafe String(decoding: line.format(record).buffer, as: UTF8.self))
            #expect(fields["time"] as? String == "1970-01-01T00:00:0\(second).001Z")
        }
    }

    @Test(arguments: [
        ([0x22, 0x5c, 0x2f], #"\"\\/"#),
        ([0x00, 0x0a, 0x1f, 0x7f], #"\u0000\u000a\u001f\u007f"#),
        ([0xc3, 0xa9], "é"),
        ([0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], "€😀"),
        // Alone, cut short, overlong, a surrogate, beyond U+10FFFF.
        ([0x80, 0x41], #"\u0080A"#),
        ([0xe2, 0x82], #"\u00e2\u0082"#),
        ([0xc0, 0xaf], #"\u00c0\u00af"#),
        ([0xe0, 0x9f, 0xbf], #"\u00e0\u009f\u00bf"#),
        ([0xed, 0xa0, 0x80], #"\u00ed\u00a0\u0080"#),
        ([0xf4, 0x90, 0x80, 0x80], #"\u00f4\u0090\u0080\u0080"#),
        ([0xff, 0xfe], #"\u00ff\u00fe"#),
    ])
    func `what JSON does not take as it is gets escaped`(path: [UInt8], expected: String) {
        #expect(line(forPath: path).contains("\"path\":\"\(expected)\","))
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `any bytes give a line that a JSON parser reads`(seed: UInt64) throws {
        var random = SeededBytes(seed: seed)
        for _ in 0..<50 {
            let path = random.bytes(count: 300)
            let line = line(forPath: path)
            let found = try parse(line)["path"] as? String
            if let valid = String(validating: path, as: UTF8.self) {
                #expect(found == valid, "seed \(seed)")
            }
            #expect(found != nil && line.utf8.filter { $0 == 0x0a }.count == 1, "seed \(seed)")
        }
    }

    @Test func `texts are cut to what a line holds`() throws {
        let path = [UInt8](repeating: 1, count: 70_000)
        let found = try #require(try parse(line(forPath: path))["path"] as? String)
        #expect(found.utf8.count == 4096)
        let euros = [UInt8](String(repeating: "€", count: 2000).utf8)
        #expect(try parse(line(forPath: euros))["path"] != nil)
    }
}

private func text(of record: AccessLogRecord) -> String {
    var line = AccessLogLine()
    let bytes = line.format(record)
    return unsafe String(validating: bytes.buffer, as: UTF8.self) ?? "not UTF-8"
}

private func line(forPath path: [UInt8]) -> String {
    unsafe path.withUnsafeBytes { bytes in
        var record = AccessLogRecord()
        record.path = unsafe Bytes(bytes)
        return text(of: record)
    }
}

private func parse(_ line: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(value as? [String: Any])
}
