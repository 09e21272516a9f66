// One request as one line of JSON, formatted on the loop that served it into memory of its own. No
// allocation, no Foundation; the text of a second is made once a second.

package import Reactor
package import Traffic

/// What is known of a request at its end. Texts are borrowed for the time of the call.
package struct AccessLogRecord {
    /// When it ended, by the wall clock.
    package var wallMilliseconds: Int64 = 0
    package var method = Bytes.empty
    package var path = Bytes.empty
    package var status: UInt16 = 0
    package var service = Bytes.empty
    package var revision = Bytes.empty
    package var endpoint = Bytes.empty
    package var client = PeerAddress.unix
    package var requestID = Bytes.empty
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var durationNanoseconds: Int64 = 0
    /// Negative when there was none: the field is then left out.
    package var firstByteNanoseconds: Int64 = -1
    package var connectNanoseconds: Int64 = -1
    package var retries: UInt8 = 0
    package var outcome = Outcome.success
    /// The name of the status of a gRPC call; empty, and left out, for all else.
    package var grpcStatus = Bytes.empty
    /// The code of the error that the gateway answered with; empty if it did not.
    package var error = Bytes.empty

    package init() {}
}

package struct AccessLogLine: ~Copyable {
    private var text = JSONText(capacity: AccessLogLimits.lineBytes)
    private var second = Int64.min
    /// `2026-11-21T02:59:15` of `second`.
    private var secondText = JSONText(capacity: 32)

    package init() {}

    /// The record's line with its line feed; valid until the next one.
    package mutating func format(_ record: borrowing AccessLogRecord) -> Bytes {
        text.removeAll()
        appendTime(record.wallMilliseconds)
        appendText(",\"method\":\"", record.method)
        text.append("\",\"path\":\"")
        text.appendEscaped(record.path, limit: AccessLogLimits.pathBytes)
        appendNumber("\",\"status\":", UInt64(record.status))
        appendText(",\"service\":\"", record.service)
        appendText("\",\"revision\":\"", record.revision)
        appendText("\",\"endpoint\":\"", record.endpoint)
        text.append("\",\"client\":\"")
        text.appendAddress(record.client)
        appendText("\",\"request_id\":\"", record.requestID)
        appendNumber("\",\"bytes_in\":", record.bytesIn)
        appendNumber(",\"bytes_out\":", record.bytesOut)
        appendTimings(of: record)
        appendNumber(",\"retries\":", UInt64(record.retries))
        text.append(",\"outcome\":\"")
        text.append(AccessLogLine.word(for: record.outcome))
        if !record.grpcStatus.isEmpty {
            appendText("\",\"grpc_status\":\"", record.grpcStatus)
        }
        appendText("\",\"error\":\"", record.error)
        text.append("\"}\n")
        return text.bytes
    }

    private mutating func appendTime(_ wallMilliseconds: Int64) {
        let now = wallMilliseconds / 1000
        if now != second {
            second = now
            renderSecond(now)
        }
        text.append("{\"time\":\"")
        text.appendPlain(secondText.bytes)
        text.append(".")
        text.appendDecimal(UInt64(max(0, wallMilliseconds % 1000)), digits: 3)
        text.append("Z\"")
    }

    private mutating func renderSecond(_ now: Int64) {
        let date = CivilDate(daysSince1970: now / 86_400)
        let time = UInt64(max(0, now % 86_400))
        secondText.removeAll()
        secondText.appendDecimal(UInt64(max(0, date.year)), digits: 4)
        secondText.append("-")
        secondText.appendDecimal(UInt64(date.month), digits: 2)
        secondText.append("-")
        secondText.appendDecimal(UInt64(date.day), digits: 2)
        secondText.append("T")
        secondText.appendDecimal(time / 3600, digits: 2)
        secondText.append(":")
        secondText.appendDecimal(time / 60 % 60, digits: 2)
        secondText.append(":")
        secondText.appendDecimal(time % 60, digits: 2)
    }

    private mutating func appendTimings(of record: borrowing AccessLogRecord) {
        text.append(",\"duration_ms\":")
        text.appendMilliseconds(record.durationNanoseconds)
        if record.firstByteNanoseconds >= 0 {
            text.append(",\"first_byte_ms\":")
            text.appendMilliseconds(record.firstByteNanoseconds)
        }
        if record.connectNanoseconds >= 0 {
            text.append(",\"connect_ms\":")
            text.appendMilliseconds(record.connectNanoseconds)
        }
    }

    private mutating func appendText(_ key: StaticString, _ value: Bytes) {
        text.append(key)
        text.appendEscaped(value, limit: AccessLogLimits.nameBytes)
    }

    private mutating func appendNumber(_ key: StaticString, _ value: UInt64) {
        text.append(key)
        text.appendDecimal(value)
    }

    /// `Outcome.label` without a String.
    private static func word(for outcome: Outcome) -> StaticString {
        switch outcome {
        case .success: "success"
        case .client: "client"
        case .model: "model"
        case .timeout: "timeout"
        case .overload: "overload"
        case .transport: "transport"
        case .cancelled: "cancelled"
        }
    }
}
