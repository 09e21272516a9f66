// Every input kept from fuzzing goes through its parser again: no trap, and no answer that depends
// on how the bytes arrive. What a fuzzer once found stays found.

import Foundation
import HTTPWire
import Testing

@Suite struct FuzzCorpusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    static func inputs(_ name: String) throws -> [[UInt8]] {
        let files = try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: name), includingPropertiesForKeys: nil)
        return try files.map { Array(try Data(contentsOf: $0)) }
    }

    @Test func `kept requests are read alike in whole and in part`() throws {
        for bytes in try Self.inputs("Request") {
            let whole = Wire.request(bytes)
            for count in 0..<bytes.count {
                let part = Wire.request(Array(bytes.prefix(count)))
                let agrees = part == .incomplete || part == whole
                #expect(agrees, "\(count) of \(bytes)")
            }
        }
    }

    @Test func `kept responses are read alike in whole and in part`() throws {
        for bytes in try Self.inputs("Response") {
            let whole = Wire.response(bytes)
            for count in 0..<bytes.count {
                let part = Wire.response(Array(bytes.prefix(count)))
                let agrees = part == .incomplete || part == whole
                #expect(agrees, "\(count) of \(bytes)")
            }
        }
    }

    /// The first two bytes are the fuzzer's cuts.
    @Test func `kept bodies are decoded alike wherever they are cut`() throws {
        for bytes in try Self.inputs("Body").map({ Array($0.dropFirst(2)) }) {
            let whole = BodyDrive.run(bytes, framing: .chunked, keepsFraming: false).body
            for cut in 0...bytes.count {
                let parts = BodyDrive.run(
                    bytes, framing: .chunked, keepsFraming: false, cuts: [cut])
                #expect(parts.body == whole, "cut \(cut) of \(bytes)")
            }
        }
    }

    /// The first byte is the fuzzer's cut.
    @Test func `kept JSON bodies are scanned alike wherever they are cut`() throws {
        for bytes in try Self.inputs("JSONModelScanner").map({ Array($0.dropFirst()) }) {
            let span = unsafe bytes.span.bytes
            let answers = (0...bytes.count).map { cut in
                var scanner = JSONModelScanner(bytesMax: 4_096)
                _ = scanner.feed(span.extracting(first: cut))
                _ = scanner.feed(span.extracting(droppingFirst: cut))
                return scanner.finish()
            }
            #expect(answers.allSatisfy { $0 == answers[0] }, "\(bytes)")
        }
    }

    @Test func `kept PROXY headers wait until they are complete`() throws {
        for bytes in try Self.inputs("ProxyProtocol").map({ Array($0.dropFirst()) }) {
            let span = unsafe bytes.span.bytes
            // A refusal is a fine answer here.
            guard let header = try? ProxyProtocolParser.parse(span) else { continue }
            let beginning = span.extracting(first: header.byteCount - 1)
            let early = try ProxyProtocolParser.parse(beginning)
            #expect(early == nil, "\(bytes)")
        }
    }
}
