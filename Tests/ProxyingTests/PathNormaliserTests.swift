// Dot segments after RFC 3986 5.2.4, and what is refused because servers disagree about it.

import Proxying
import Testing

@Suite struct PathNormaliserTests {
    enum Expected: Equatable {
        case same, refused
        case path(String)
    }

    private func normalised(_ path: String) -> Expected {
        let bytes = Array(path.utf8)
        var output = [UInt8](repeating: 0x23, count: bytes.count)
        let outcome = unsafe output.withUnsafeMutableBytes { buffer in
            var target = unsafe buffer.mutableBytes
            return PathNormaliser.normalise(unsafe bytes.span.bytes, into: &target)
        }
        switch outcome {
        case .unchanged: return .same
        case .refused: return .refused
        case .rewritten(let count): return .path(String(decoding: output[..<count], as: UTF8.self))
        }
    }

    @Test(arguments: [
        "", "*", "/", "//", "/a", "/a//b/", "/a.b", "/a..b", "/a/b..", "/...", "/..a", "/.a",
        "/a/.well-known/x", "/%41", "/a%2Eb", "/%2e%2e%2e", "/a%2fb", "/a%5Cb", "/a\\b", "/a;b",
        "/%252e%252e/x", "/a;/b", "/v2/models/org%2Fname/infer",
    ])
    func `a path without dot segments is left as it is`(path: String) {
        #expect(normalised(path) == .same)
    }

    @Test(arguments: [
        ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"), ("/a/b/.", "/a/b/"),
        ("/.", "/"), ("/./", "/"), ("/./a", "/a"), ("/a/..", "/"), ("/a/../", "/"),
        ("/a//../b", "/a/b"), ("/a/b/c/./../../g", "/a/g"), ("/a/%2e/b", "/a/b"),
        ("/a/%2E%2e/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2e./b", "/b"), ("/x/.././%41", "/%41"),
        ("/a/.../../b", "/a/b"), ("/././/a", "//a"), ("/a/b/../%2e%2e/c/", "/c/"),
    ])
    func `dot segments are resolved, in any spelling`(path: String, expected: String) {
        #expect(normalised(path) == .path(expected))
    }

    @Test(arguments: [
        "/..", "/../", "/../a", "/a/../..", "/a/../../b", "/%2e%2e", "/./..", "/a/%2e%2e/%2e%2e/b",
    ])
    func `leaving the root is refused`(path: String) {
        #expect(normalised(path) == .refused)
    }

    @Test(arguments: [
        "/a/..%2fb", "/a%2f..%2fb", "/a/..%2F", "/a%2f..", "/a/%2e%2e%2fb", "/a\\..\\b",
        "/a/..\\b", "/a%5c..%5cb", "/a/%2e%2e%5Cb", "/a%2fb/../c", "/a/./b%2fc", "/%2f..",
        "/a%2f.", "/..%5c",
    ])
    func `dot segments beside a hidden slash are refused`(path: String) {
        #expect(normalised(path) == .refused)
    }

    @Test(arguments: [
        "/a/..;/b", "/a/..;x=1/b", "/a/.;/b", "/a/%2e%2e;/b", "/a/..;", "/a%2f..;/b",
    ])
    func `dot segments with parameters are refused`(path: String) {
        #expect(normalised(path) == .refused)
    }

    @Test(arguments: ["/%", "/%2", "/%zz", "/%2g", "/a%", "/a%0", "/%00", "/a%00b", "/\0", "*\0"])
    func `malformed escapes and NUL are refused`(path: String) {
        #expect(normalised(path) == .refused)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `what comes out is normal and stays below the root`(seed: UInt64) {
        let pieces = ["/", "/", ".", "..", "a", "%2e", "%2E", "%2f", "\\", ";", "b", "%41", "//"]
        var state = seed
        for _ in 0..<50 {
            var path = "/"
            for _ in 0..<(2 + Int(state % 9)) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                path += pieces[Int(state >> 33) % pieces.count]
            }
            guard case .path(let result) = normalised(path) else { continue }
            #expect(result.hasPrefix("/"), "seed \(seed): \(path)")
            #expect(normalised(result) == .same, "seed \(seed): \(path) gave \(result)")
        }
    }
}
