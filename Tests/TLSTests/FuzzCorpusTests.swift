// Every input kept from fuzzing goes to a server again, whole and byte by byte: no trap, and the
// same end either way.

import Foundation
import TLS
import Testing

@Suite struct FuzzCorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus/ServerHandshake")

    @Test func `kept bytes end alike in whole and in part`() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        let context = try Contexts.server()
        for file in files {
            // The first two bytes are the fuzzer's own.
            let bytes = Array(try Data(contentsOf: file).dropFirst(2))
            let (whole, parts) = (try TLSEnd(context), try TLSEnd(context))
            whole.take(bytes)
            for byte in bytes where parts.outcome == .open { parts.take([byte]) }
            #expect(whole.outcome == parts.outcome, "\(file.lastPathComponent)")
            #expect(whole.inbox.isEmpty && parts.inbox.isEmpty)
        }
    }
}
