// Heads for hostile input: put together from parts that are mostly right, then often damaged where
// it hurts.

import Fixtures

enum RandomHead {
    private static let methods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "X", "TRACE", "get"]
    private static let targets = [
        "/", "/a?b=c", "/a/%2e%2e/b?", "*", "http://h/x?y", "HTTPS://[::1]:8080", "a", "//x",
        "http://u@h/", "/#", "http://h?q",
    ]
    private static let versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"]
    private static let lines = [
        "Accept: */*", "User-Agent: curl/8", "Content-Length: 5", "Content-Length: 005",
        "Transfer-Encoding: chunked", "transfer-encoding:  Chunked\t", "Connection: close",
        "Connection: keep-alive, x-a", "X-A: 1", "x-a:2", "Expect: 100-continue",
        "Upgrade: websocket",
        "Connection: Upgrade", "X_Forwarded_For: 1", "x-forwarded-for: 1", "Cookie: a=b; c=d",
        "Content-Type: application/json", "Empty:", "Spaces:  a b  ", "Host: other", "TE: trailers",
        "content_length: 7", "Keep-Alive: timeout=5", "Transfer-Encoding: gzip",
        "Content-Length: 1,1",
        "Proxy-Authorization: x", "Connection: ,, Host ,cookie", "my_name: x", "Trailer: x",
    ]
    private static let edges: [UInt8] = [
        0x0D, 0x0A, 0x20, 0x09, 0x3A, 0x00, 0x7F, 0x80, 0x23, 0x5F, 0x2C, 0x31, 0x41, 0x2F, 0x0B,
    ]

    static func request(_ generator: inout SeededGenerator) -> [UInt8] {
        let start = [methods, targets, versions].map { $0.randomElement(using: &generator) ?? "" }
        let empty = Int.random(in: 0..<20, using: &generator) == 0 ? "\r\n" : ""
        return head(empty + start.joined(separator: " "), host: "Host: h:80", &generator)
    }

    static func response(_ generator: inout SeededGenerator) -> [UInt8] {
        let version = versions.randomElement(using: &generator) ?? ""
        let codes = ["200", "204", "304", "101", "103", "404", "599", "600", "099", "20"]
        let reasons = [" OK", " ", " Not Found", ""]
        let code = codes.randomElement(using: &generator) ?? ""
        let reason = reasons.randomElement(using: &generator) ?? ""
        return head("\(version) \(code)\(reason)", host: "Server: s", &generator)
    }

    private static func head(
        _ first: String, host: String, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var fields = (0..<Int.random(in: 0...5, using: &generator)).compactMap { _ in
            lines.randomElement(using: &generator)
        }
        if Int.random(in: 0..<10, using: &generator) > 0 {
            fields.insert(host, at: Int.random(in: 0...fields.count, using: &generator))
        }
        let text = ([first] + fields).map { $0 + "\r\n" }.joined() + "\r\n"
        var bytes = Array(text.utf8)
        for _ in 0..<max(0, Int.random(in: -2...2, using: &generator)) {
            damage(&bytes, &generator)
        }
        return bytes
    }

    private static func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        let edge = edges.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[position] = edge
        case 1: bytes.insert(edge, at: position)
        default: bytes.remove(at: position)
        }
    }
}
