// What TLS costs a server, without any socket: microseconds of CPU per small exchange, per mebibyte
// and per handshake, and the memory of an idle session. Built together with the module, as the
// release build inlines it. The client's share of the work is not counted.

internal import COpenSSL
internal import Glibc

@main enum TLSBenchmark {
    static func main() throws {
        let bench = try Bench()
        print("small exchange (400 B in, 400 B out): \(bench.smallExchange()) µs")
        print("1 MiB out: \(bench.largeOut()) µs, in: \(bench.largeIn()) µs")
        for version in [TLS1_3_VERSION, TLS1_2_VERSION] {
            let name = version == TLS1_3_VERSION ? "1.3" : "1.2"
            print("full handshake \(name): \(bench.handshake(version, resumed: false)) µs")
            print("resumed handshake \(name): \(bench.handshake(version, resumed: true)) µs")
        }
        print("idle session: \(bench.idleBytes()) bytes")
    }
}

/// Both contexts and the memory that a loop would have.
final class Bench {
    let engine = TLSEngine(loop: 0)
    let name: TLSPeerName
    let server: TLSServerContext
    let client: TLSClientContext
    var ciphertext = [UInt8](repeating: 0, count: TLSLimits.sealedBytes(1 << 20))
    var plaintext = [UInt8](repeating: 7, count: TLSLimits.openedBytes(1 << 21))
    var reply = [UInt8](repeating: 0, count: TLSLimits.sealedBytes(1 << 20))

    init() throws {
        let identity = Bench.identity()
        guard let name = TLSPeerName("bench.example") else { preconditionFailure("a name") }
        self.name = name
        server = try TLSServerContext(
            TLSServerSettings(identities: [identity]), tickets: TLSTicketKeys(), now: nil)
        client = try TLSClientContext(
            TLSClientSettings(authorities: nil), loops: 1, now: nil)
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
        return TLSFile(path: "bench", content: bytes)
    }

    // MARK: Bytes through sessions

    func receive(_ session: inout TLSSession, _ bytes: ArraySlice<UInt8>) -> TLSReceived {
        let received = unsafe bytes.withUnsafeBytes { source in
            unsafe plaintext.withUnsafeMutableBytes { plaintext in
                unsafe reply.withUnsafeMutableBytes { reply in
                    unsafe session.receive(source, plaintext: plaintext, reply: reply)
                }
            }
        }
        if case .failed(let fault) = received.status { preconditionFailure(fault.description) }
        return received
    }

    /// Seals into `ciphertext`.
    func send(_ session: inout TLSSession, _ count: Int) -> Int {
        let sealed = unsafe plaintext.withUnsafeBytes { source in
            unsafe ciphertext.withUnsafeMutableBytes { room in
                try? unsafe session.send(
                    UnsafeRawBufferPointer(rebasing: source[..<count]), into: room)
            }
        }
        guard let sealed, sealed.plaintextCount == count else {
            preconditionFailure("it can be sent")
        }
        return sealed.ciphertextCount
    }

    /// A pair after its handshake, and what the server's side of it cost.
    func pair(
        _ version: Int32 = TLS1_3_VERSION, _ name: TLSPeerName
    ) -> (client: TLSSession, server: TLSSession, microseconds: Double) {
        guard var client = client.connect(to: name, on: engine) else {
            preconditionFailure("memory")
        }
        unsafe SSL_ctrl(client.session, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        var toServer = replies(receive(&client, []))
        var spent = 0.0
        var begin = now()
        guard var server = server.accept(on: engine) else { preconditionFailure("memory") }
        spent += now() - begin
        while !toServer.isEmpty {
            begin = now()
            let received = receive(&server, toServer)
            spent += now() - begin
            toServer = replies(receive(&client, replies(received)))
        }
        precondition(client.isEstablished && server.isEstablished, "both are ready")
        begin = now()
        let ticket = unsafe reply.withUnsafeMutableBytes { room in
            (try? unsafe server.sendTicket(into: room)) ?? 0
        }
        spent += now() - begin
        if ticket > 0 { _ = receive(&client, ArraySlice(Array(reply[..<ticket]))) }
        return (client, server, spent)
    }

    private func replies(_ received: TLSReceived) -> ArraySlice<UInt8> {
        ArraySlice(Array(reply[..<received.replyCount]))
    }

    /// CPU microseconds of this thread.
    private func now() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}

// MARK: Measures

extension Bench {
    /// The best of some rounds: others were disturbed.
    private func best(_ rounds: Int, _ body: () -> Double) -> Double {
        let figure = (0..<rounds).map { _ in body() }.min() ?? 0
        return (figure * 1000).rounded() / 1000
    }

    func smallExchange() -> Double {
        var (client, server, _) = pair(TLS1_3_VERSION, name)
        defer {
            client.free()
            server.free()
        }
        return best(20) {
            // Requests first, so that only the server's work lies between the two times.
            let requests = (0..<2000).map { _ in
                let sealed = send(&client, 400)
                return Array(ciphertext[..<sealed])[...]
            }
            var answers: [UInt8] = []
            answers.reserveCapacity(2000 * 500)
            let begin = now()
            for request in requests {
                let received = receive(&server, request)
                precondition(received.plaintextCount == 400, "it arrives")
                let sealed = send(&server, 400)
                answers.append(contentsOf: ciphertext[..<sealed])
            }
            let spent = now() - begin
            _ = receive(&client, answers[...])
            return spent / 2000
        }
    }

    func largeOut() -> Double {
        var (client, server, _) = pair(TLS1_3_VERSION, name)
        defer {
            client.free()
            server.free()
        }
        return best(50) {
            var spent = 0.0
            for _ in 0..<4 {
                let begin = now()
                let sealed = send(&server, 256 * 1024)
                spent += now() - begin
                _ = receive(&client, Array(ciphertext[..<sealed])[...])
            }
            return spent
        }
    }

    func largeIn() -> Double {
        var (client, server, _) = pair(TLS1_3_VERSION, name)
        defer {
            client.free()
            server.free()
        }
        return best(50) {
            let sealed = send(&client, 1 << 20)
            var spent = 0.0
            for start in stride(from: 0, to: sealed, by: 256 * 1024) {
                let piece = Array(ciphertext[start..<min(sealed, start + 256 * 1024)])[...]
                let begin = now()
                _ = receive(&server, piece)
                spent += now() - begin
            }
            return spent
        }
    }

    func handshake(_ version: Int32, resumed: Bool) -> Double {
        guard let fresh = TLSPeerName("bench.example") else { return 0 }
        return best(5) {
            var spent = 0.0
            for _ in 0..<200 {
                guard let other = TLSPeerName("bench.example") else { return 0 }
                let made = pair(version, resumed ? fresh : other)
                spent += made.microseconds
                made.client.free()
                let begin = now()
                made.server.free()
                spent += now() - begin
            }
            return spent / 200
        }
    }

    /// Growth of the process over ten thousand sessions that have had one exchange each.
    func idleBytes() -> Int {
        var sessions: [TLSSession] = []
        sessions.reserveCapacity(10_000)
        let before = residentBytes()
        for _ in 0..<10_000 {
            var (client, server, _) = pair(TLS1_3_VERSION, name)
            let sealed = send(&client, 400)
            _ = receive(&server, ciphertext[..<sealed])
            _ = send(&server, 400)
            client.free()
            sessions.append(server)
        }
        let grown = residentBytes() - before
        for session in sessions { session.free() }
        return grown / 10_000
    }

    private func residentBytes() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard unsafe fgets(&line, 256, file) != nil else { return 0 }
        let text = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
