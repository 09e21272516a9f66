// Parsed messages as plain values that own their text, so that tests can compare them whole, and
// the few ways tests drive a parser.

import HTTPWire
import Testing

struct ParsedField: Equatable {
    var name: String
    var value: String
    var isHopByHop = false
    var isAlias = false
}

struct ParsedRequest: Equatable {
    var method: String
    var target: String
    var path: String
    var query: String?
    var host: String
    var minorVersion: Int
    var framing: BodyFraming
    var keepsAlive: Bool
    var expectsContinue = false
    var upgrade = ""
    var byteCount: Int
    var fields: [ParsedField]
}

struct ParsedResponse: Equatable {
    var status: Int
    var reason: String
    var minorVersion: Int
    var framing: BodyFraming
    var keepsAlive: Bool
    var timeout: Int
    var byteCount: Int
    var fields: [ParsedField]
}

enum Verdict<Message: Equatable>: Equatable {
    case message(Message)
    case incomplete
    case refused(WireError)
}

enum Wire {
    static func text(_ bytes: [UInt8], _ slice: Slice) -> String {
        text(bytes[slice.start..<slice.end])
    }

    /// One character a byte, so that nothing beyond ASCII is lost. A plain loop: tests make some
    /// hundred thousand texts.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        unsafe String(unsafeUninitializedCapacity: 2 * bytes.count) { room in
            var (index, count) = (bytes.startIndex, 0)
            while index < bytes.endIndex {
                let byte = bytes[index]
                if byte < 0x80 {
                    unsafe room[count] = byte
                    count += 1
                } else {
                    unsafe room[count] = 0xC0 | byte >> 6
                    unsafe room[count + 1] = 0x80 | byte & 0x3F
                    count += 2
                }
                index += 1
            }
            return count
        }
    }

    static func fields(_ table: borrowing FieldTable, of bytes: [UInt8]) -> [ParsedField] {
        var parsed: [ParsedField] = []
        for index in 0..<table.count {
            let field = table[index]
            parsed.append(
                ParsedField(
                    name: text(bytes, field.name), value: text(bytes, field.value),
                    isHopByHop: field.isHopByHop, isAlias: field.isAlias))
        }
        return parsed
    }

    static func request(
        _ bytes: [UInt8], limits: WireLimits = WireLimits()
    ) -> Verdict<ParsedRequest> {
        var table = FieldTable(capacity: limits.headers)
        do throws(WireError) {
            let parser = RequestParser(limits: limits)
            let span = unsafe bytes.span.bytes
            guard let head = try parser.parse(span, fields: &table) else { return .incomplete }
            return .message(
                ParsedRequest(
                    method: text(bytes, head.methodText), target: text(bytes, head.target),
                    path: text(bytes, head.path),
                    query: head.hasQuery ? text(bytes, head.query) : nil,
                    host: text(bytes, head.host), minorVersion: Int(head.minorVersion),
                    framing: head.framing, keepsAlive: head.keepsAlive,
                    expectsContinue: head.expectsContinue, upgrade: text(bytes, head.upgrade),
                    byteCount: head.byteCount, fields: fields(table, of: bytes)))
        } catch {
            return .refused(error)
        }
    }

    static func request(_ text: String) -> Verdict<ParsedRequest> { request(Array(text.utf8)) }

    /// A request whose head is `lines`, each ended by CRLF.
    static func request(lines: String...) -> Verdict<ParsedRequest> {
        request(lines.map { $0 + "\r\n" }.joined() + "\r\n")
    }

    static func response(
        _ bytes: [UInt8], to method: HTTPWire.Method = .get, limits: WireLimits = WireLimits()
    ) -> Verdict<ParsedResponse> {
        var table = FieldTable(capacity: limits.headers)
        do throws(WireError) {
            let parser = ResponseParser(limits: limits)
            let span = unsafe bytes.span.bytes
            let parsed = try parser.parse(span, fields: &table, requestMethod: method)
            guard let head = parsed else { return .incomplete }
            return .message(
                ParsedResponse(
                    status: Int(head.status), reason: text(bytes, head.reason),
                    minorVersion: Int(head.minorVersion), framing: head.framing,
                    keepsAlive: head.keepsAlive, timeout: head.keepAliveTimeoutSeconds,
                    byteCount: head.byteCount, fields: fields(table, of: bytes)))
        } catch {
            return .refused(error)
        }
    }

    static func response(_ text: String, to method: HTTPWire.Method = .get) -> Verdict<
        ParsedResponse
    > {
        response(Array(text.utf8), to: method)
    }
}

extension Verdict {
    var message: Message? {
        if case .message(let message) = self { return message }
        return nil
    }

    var error: WireError? {
        if case .refused(let error) = self { return error }
        return nil
    }
}
