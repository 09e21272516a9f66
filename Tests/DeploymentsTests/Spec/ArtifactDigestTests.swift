// Digests of real files: what they depend on, what they do not, and what has none.

import Crypto
import Deployments
import Fixtures
import Foundation
import Testing

@Suite final class ArtifactDigestTests {
    private let scratch = ScratchFolder()
    private var folder: URL { scratch.url }

    private func write(_ path: String, _ text: String) throws {
        try scratch.write(text, to: path)
    }

    private func digest(_ path: String = "") throws -> ArtifactDigest {
        try ArtifactDigest.read(folder.appending(path: path).path(percentEncoded: false))
    }

    private func hex(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    @Test func `a file's digest is its SHA-256, also when it is read in parts`() throws {
        let text = String(repeating: "0123456789abcdef", count: 200_000)
        try write("model.bin", text)
        let digest = try digest("model.bin")
        #expect(digest.sha256 == hex(text) && digest.bytes == 3_200_000)
        #expect(digest.files == 1 && !digest.isDirectory)
    }

    @Test func `a directory's digest is that of its sorted listing`() throws {
        try write("b.json", "two")
        try write("a/z.bin", "one")
        let listing = "\(hex("one")) 3 a/z.bin\n\(hex("two")) 3 b.json\n"
        let digest = try digest()
        #expect(digest.sha256 == hex(listing))
        #expect(digest.files == 2 && digest.bytes == 6 && digest.isDirectory)
    }

    @Test func `times and empty folders do not count, names and contents do`() throws {
        try write("a", "one")
        let before = try digest()
        try FileManager.default.createDirectory(
            at: folder.appending(path: "empty"), withIntermediateDirectories: true)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 5)],
            ofItemAtPath: folder.appending(path: "a").path(percentEncoded: false))
        #expect(try digest() == before)
        try write("a", "onE")
        #expect(try digest() != before)
    }

    @Test func `a link counts as its file, a link to a folder or to nothing has no digest`() throws
    {
        try write("store/blob", "one")
        try write("model/plain", "one")
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "model/linked"),
            withDestinationURL: folder.appending(path: "store/blob"))
        #expect(try digest("model").files == 2)
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "model/round"), withDestinationURL: folder)
        #expect(throws: ModelError.self) { try self.digest("model") }
    }

    @Test func `what is not there has no digest`() throws {
        let path = folder.appending(path: "none").path(percentEncoded: false)
        #expect(throws: ModelError.missing(path: path)) { try ArtifactDigest.read(path) }
    }

    @Test func `a long reading ends when it is no longer wanted`() throws {
        try write("a", "one")
        let path = folder.path(percentEncoded: false)
        #expect(throws: CancellationError.self) {
            try ArtifactDigest.read(path, isCancelled: { true })
        }
    }
}
