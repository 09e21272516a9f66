// What the socket tests share: a connected pair, and whole reads and writes.
// Every descriptor made here is closed at the end of its test.

import Glibc
import Reactor

/// A client and the server's end of its connection, over loopback.
struct Pair {
    var client: Int32
    var server: Int32
    var peer: PeerAddress

    init(host: String) throws {
        guard let any = SocketAddress(numeric: host, port: 0) else { throw Missing.connection }
        let listener = try Sockets.listen(on: any)
        defer { Sockets.close(listener) }
        switch Sockets.connect(to: any.with(port: Sockets.boundPort(listener))) {
        case .connected(let descriptor), .inProgress(let descriptor): client = descriptor
        case .failed(let code): throw SystemError(call: "connect", code: code)
        }
        var poller = try Poller()
        try poller.addLevelTriggered(listener, token: 0)
        _ = try poller.wait(milliseconds: 10_000)
        guard case .connection(let accepted, let from) = Sockets.accept(listener) else {
            throw Missing.connection
        }
        (server, peer) = (accepted, from)
    }

    func close() {
        Sockets.close(client)
        Sockets.close(server)
    }
}

/// An address in 127/8 that no other test and no other process uses, for those that close a port
/// and count on its staying closed.
func ownHost(_ number: UInt32) -> UInt32 {
    0x7f40_0000 | number << 16 | UInt32(getpid()) & 0xffff
}

enum Missing: Error {
    case connection
    case bytes
}

func send(_ text: String, to descriptor: Int32) -> Sent {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe Sockets.send(descriptor, $0) }
}

func write(_ text: String, to descriptor: Int32) -> Int {
    guard case .bytes(let count) = send(text, to: descriptor) else { return -1 }
    return count
}

/// Waits for `count` bytes or the end of the stream.
func readAll(_ descriptor: Int32, count: Int) throws -> String {
    var poller = try Poller()
    try poller.addLevelTriggered(descriptor, token: 0)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < count {
        guard try poller.wait(milliseconds: 10_000) == 1 else { throw Missing.bytes }
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe Sockets.receive(descriptor, $0) }) {
        case .bytes(let more): bytes += buffer[..<more]
        case .wouldBlock: continue
        case .ended: return String(decoding: bytes, as: UTF8.self)
        case .failed(let code): throw SystemError(call: "recv", code: code)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(descriptor, level, name, &value, &length) < 0 ? -1 : value
}
