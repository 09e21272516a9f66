// A server fed with any bytes: either these alone, cut anywhere, or a true client's bytes with some
// of them changed. No trap, no plaintext from a client that was not let in, and nothing more once
// a session has failed.

internal import COpenSSL

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 2, let start = unsafe start else { return 0 }
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let step = Int(input[1]) + 1
    let server = Server(Bench.shared)
    defer { server.session.free() }
    if input[0] & 1 == 0 {
        server.take(Array(input[2...]), by: step)
    } else {
        converse(server, step: step, edits: Array(input[2...]))
    }
    return 0
}

/// A whole handshake and a message, with bytes changed at places that the input says.
func converse(_ server: Server, step: Int, edits: [UInt8]) {
    let client = Client(Bench.shared)
    defer { client.session.free() }
    var place = 0
    var edit = edits[...]
    for round in 0..<4 {
        client.take(server.takeReplies())
        if round == 2, client.session.isEstablished { client.say([1, 2, 3]) }
        var bytes = client.takeReplies()
        while let gap = edit.first, edit.count >= 2 {
            place += Int(gap)
            guard bytes.indices.contains(place) else { break }
            bytes[place] ^= edit[edit.startIndex + 1]
            edit = edit.dropFirst(2)
        }
        place = max(0, place - bytes.count)
        server.take(bytes, by: step)
    }
}

class End {
    var session: TLSSession
    private var replies: [UInt8] = []
    private var hasFailed = false

    init(_ session: TLSSession) { self.session = session }

    func takeReplies() -> [UInt8] {
        defer { replies = [] }
        return replies
    }

    func take(_ bytes: [UInt8], by step: Int) {
        var rest = bytes[...]
        while !rest.isEmpty {
            take(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
        }
    }

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
        precondition(received.plaintextCount <= plaintext.count, "within the room")
        precondition(received.replyCount <= reply.count, "within the room")
        if hasFailed {
            precondition(received.plaintextCount + received.replyCount == 0, "over is over")
        }
        if received.plaintextCount > 0 {
            precondition(plaintext.prefix(3).elementsEqual([1, 2, 3]), "from a true client only")
        }
        if case .failed(let fault) = received.status {
            precondition(!fault.description.isEmpty, "a fault has a reason")
            hasFailed = true
        }
        replies += reply[..<received.replyCount]
    }

    func say(_ bytes: [UInt8]) {
        var room = [UInt8](repeating: 0, count: TLSLimits.sealRoomBytes)
        let sealed = try? unsafe bytes.withUnsafeBytes { source in
            try unsafe room.withUnsafeMutableBytes { try unsafe session.send(source, into: $0) }
        }
        replies += room[..<(sealed?.ciphertextCount ?? 0)]
    }
}

final class Server: End {
    init(_ bench: borrowing Bench) {
        guard let session = bench.server.accept(on: bench.engine) else {
            preconditionFailure("there is memory")
        }
        super.init(session)
    }
}

final class Client: End {
    init(_ bench: borrowing Bench) {
        guard let session = bench.client.connect(to: bench.name, on: bench.engine) else {
            preconditionFailure("there is memory")
        }
        super.init(session)
    }
}

/// Made once: both contexts, and a certificate nobody has to trust.
final class Bench {
    nonisolated(unsafe) static let shared = Bench()
    let engine = TLSEngine(loop: 0)
    let name: TLSPeerName
    let server: TLSServerContext
    let client: TLSClientContext

    init() {
        let identity = Bench.identity()
        var settings = TLSServerSettings(identities: [identity])
        let tickets = TLSTicketKeys()
        guard let name = TLSPeerName("fuzz.example"),
            let authorities = try? TLSAuthorities(identity.certificate),
            let client = try? TLSClientContext(.init(authorities: nil), loops: 1, now: nil)
        else { preconditionFailure("contexts can be made") }
        settings.clients = .optional(authorities)
        guard let server = try? TLSServerContext(settings, tickets: tickets, now: nil) else {
            preconditionFailure("contexts can be made")
        }
        (self.name, self.server, self.client) = (name, server, client)
    }

    private static func identity() -> TLSIdentity {
        let (key, made) = unsafe (penstock_ec_key("P-256"), X509_new())
        unsafe X509_set_version(made, 2)
        unsafe X509_gmtime_adj(X509_getm_notBefore(made), 0)
        unsafe X509_gmtime_adj(X509_getm_notAfter(made), 3600)
        unsafe X509_set_pubkey(made, key)
        unsafe X509_sign(made, key, EVP_sha256())
        return TLSIdentity(
            certificate: file { unsafe PEM_write_bio_X509($0, made) },
            key: file { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    private static func file(_ write: (OpaquePointer?) -> Int32) -> TLSFile {
        let memory = unsafe BIO_new(BIO_s_mem())
        let written = unsafe write(memory)
        precondition(written == 1, "PEM can be written")
        var start: UnsafePointer<CChar>?
        let count = unsafe penstock_bio_bytes(memory, &start)
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
        return TLSFile(path: "fuzz", content: bytes)
    }
}
