// Nanoseconds a head costs: a browser-like request of 474 bytes with 11 fields, and an answer.
// Built together with the module it measures, as the release build inlines it into the data plane.

@main enum ParserBenchmark {
    static let request =
        "GET /v2/models/iris/versions/1/stats?window=60&detail=full HTTP/1.1\r\n"
        + "Host: models.example.com:8443\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) F/130\r\n"
        + "Accept: text/html,application/json;q=0.9,*/*\r\nAccept-Language: en-US,en;q=0.5\r\n"
        + "Accept-Encoding: gzip, deflate, br\r\nCookie: session=0123456789abcdef; theme=dark\r\n"
        + "X-Request-Id: 5f2c1d90-77aa\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"
        + "X-Tenant: "

    static let response =
        "HTTP/1.1 200 OK\r\nServer: uvicorn\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
        + "Content-Type: application/json\r\nContent-Length: 4096\r\nConnection: keep-alive\r\n"
        + "Keep-Alive: timeout=65\r\nCache-Control: no-store\r\nX-Served-By: replica-7\r\n\r\n"

    static func main() {
        let tail = "\r\nReferer: https://a.example/\r\n\r\n"
        let padding = String(
            repeating: "a", count: max(0, 474 - request.utf8.count - tail.utf8.count))
        measure("request", Array((request + padding + tail).utf8), parseRequest)
        measure("response", Array(response.utf8), parseResponse)
    }

    @inline(never)
    static func parseRequest(_ bytes: RawSpan, _ fields: inout FieldTable) -> Int {
        // The bytes are constant and right: a refusal shows as a count of zero.
        (try? RequestParser().parse(bytes, fields: &fields))?.byteCount ?? 0
    }

    @inline(never)
    static func parseResponse(_ bytes: RawSpan, _ fields: inout FieldTable) -> Int {
        // As above.
        (try? ResponseParser().parse(bytes, fields: &fields, requestMethod: .get))?.byteCount ?? 0
    }

    static func measure(
        _ name: String, _ bytes: [UInt8], _ parse: (RawSpan, inout FieldTable) -> Int
    ) {
        var fields = FieldTable(capacity: 128)
        let span = unsafe bytes.span.bytes
        var best = Duration.seconds(1)
        var total = 0
        for _ in 0..<20 {
            let spent = ContinuousClock().measure {
                for _ in 0..<200_000 { total &+= parse(span, &fields) }
            }
            best = min(best, spent)
        }
        precondition(total == 4_000_000 * bytes.count, "every head parses whole")
        let nanoseconds = best.components.attoseconds / 1_000_000_000 / 200_000
        print("\(name): \(bytes.count) bytes, \(fields.count) fields, \(nanoseconds) ns")
    }
}
