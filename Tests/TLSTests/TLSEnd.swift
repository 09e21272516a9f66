// One end of a connection under test: bytes to be sent gather in `outbox`, plaintext received in
// `inbox`. `Wire` carries them between two ends, in pieces of any size.

import TLS
import Testing

/// Engines are made on a loop's thread; in tests, one per end will do.
private struct Bench: ~Copyable {
    let engine = TLSEngine(loop: 0)
}

protocol Endpoint: AnyObject {
    var outbox: [UInt8] { get set }
    func take(_ bytes: [UInt8])
}

final class TLSEnd: Endpoint {
    enum Outcome: Equatable {
        case open
        case closed
        case failed(TLSFault.Kind)
    }

    private let bench = Bench()
    var session: TLSSession
    var outbox: [UInt8] = []
    var inbox: [UInt8] = []
    private(set) var outcome = Outcome.open
    private(set) var fault: TLSFault?
    private(set) var ticketBytes = 0

    init(_ context: TLSServerContext) throws {
        let made = context.accept(on: bench.engine)
        session = try #require(made)
    }

    init(_ context: TLSClientContext, to name: String) throws {
        let name = try #require(TLSPeerName(name))
        let made = context.connect(to: name, on: bench.engine)
        session = try #require(made)
    }

    init(_ context: TLSClientContext, to name: TLSPeerName) throws {
        let made = context.connect(to: name, on: bench.engine)
        session = try #require(made)
    }

    deinit { session.free() }

    func take(_ bytes: [UInt8]) {
        var plaintext = [UInt8](repeating: 0, count: TLSLimits.openedBytes(bytes.count))
        var reply = [UInt8](repeating: 0, count: TLSLimits.replyBytes)
        let received = unsafe bytes.withUnsafeBytes { source in
            unsafe plaintext.withUnsafeMutableBytes { plaintext in
                unsafe reply.withUnsafeMutableBytes { reply in
                    unsafe session.receive(source, plaintext: plaintext, reply: reply)
                }
            }
        }
        inbox += plaintext[..<received.plaintextCount]
        outbox += reply[..<received.replyCount]
        outbox += ticket()
        switch received.status {
        case .open: break
        case .closed: outcome = .closed
        case .failed(let fault):
            outcome = .failed(fault.kind)
            self.fault = fault
        }
    }

    /// What a loop sends in front of the first answer.
    private func ticket() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: TLSLimits.replyBytes)
        do {
            let count = try unsafe room.withUnsafeMutableBytes {
                try unsafe session.sendTicket(into: $0)
            }
            ticketBytes += count
            return Array(room[..<count])
        } catch {
            outcome = .failed(.unusable)
            return []
        }
    }

    func say(_ bytes: [UInt8]) throws {
        try say(bytes, room: TLSLimits.sealedBytes(bytes.count))
    }

    /// With no more than so much room a time.
    func say(_ bytes: [UInt8], room roomBytes: Int) throws {
        var room = [UInt8](repeating: 0, count: roomBytes)
        var rest = bytes[...]
        while !rest.isEmpty {
            let sealed = try unsafe rest.withUnsafeBytes { source in
                try unsafe room.withUnsafeMutableBytes { room in
                    try unsafe session.send(source, into: room)
                }
            }
            rest = rest.dropFirst(sealed.plaintextCount)
            outbox += room[..<sealed.ciphertextCount]
        }
    }

    func say(_ text: String) throws { try say(Array(text.utf8)) }

    func close() {
        var room = [UInt8](repeating: 0, count: 256)
        let count = unsafe room.withUnsafeMutableBytes { unsafe session.close(into: $0) }
        outbox += room[..<count]
    }

    var heard: String { String(decoding: inbox, as: UTF8.self) }
    var cipher: String { unsafe String(decoding: session.cipher, as: UTF8.self) }
    var serverName: String { unsafe String(decoding: session.serverName, as: UTF8.self) }

    var peerSubject: String? {
        var room = [UInt8](repeating: 0, count: TLSLimits.subjectBytes)
        let count = unsafe room.withUnsafeMutableBytes { unsafe session.peerSubject(into: $0) }
        return count.map { String(decoding: room[..<$0], as: UTF8.self) }
    }

    var peerFingerprint: String? {
        var room = [UInt8](repeating: 0, count: 64)
        let isThere = unsafe room.withUnsafeMutableBytes {
            unsafe session.peerFingerprint(into: $0)
        }
        return isThere ? String(decoding: room, as: UTF8.self) : nil
    }
}

enum Wire {
    /// Carries bytes both ways until neither end has any, `step` at a time. The client begins.
    static func carry(_ client: some Endpoint, _ server: some Endpoint, by step: Int = .max) {
        client.take([])
        var idle = 0
        while idle < 2 {
            idle = move(client, server, step) || move(server, client, step) ? 0 : idle + 1
        }
    }

    private static func move(
        _ source: some Endpoint, _ target: some Endpoint, _ step: Int
    ) -> Bool {
        guard !source.outbox.isEmpty else { return false }
        let piece = Array(source.outbox.prefix(step))
        source.outbox.removeFirst(piece.count)
        target.take(piece)
        return true
    }
}
