// Every bound of this module, with the sum that chose it. The first three are also what a caller
// needs to know to give enough room.

package enum TLSLimits {
    /// Plaintext of one record, at most (RFC 8446 5.1). Sent as large as allowed: a call of the
    /// cipher and a header per record cost more than they save in latency.
    package static let recordBytes = 16 * 1024
    /// What a session may say by itself during one call: a chain of 64 KiB of PEM is 48 KiB, the
    /// names of authorities are 8 KiB, a ticket that holds a client's certificate 24 KiB at most,
    /// and the other messages of a handshake and their record headers are below 4 KiB.
    package static let replyBytes = 96 * 1024
    /// A subject's text with everything escaped; real ones have 60 to 200 bytes.
    package static let subjectBytes = 1024

    /// A chain of four RSA-4096 certificates is 10 KiB of PEM.
    static let chainFileBytes = 64 * 1024
    /// The system's list of authorities is 210 KiB.
    static let authorityFileBytes = 4 * 1024 * 1024
    /// Certificates of one listener: the name of a public host each. Their contexts take 30 KiB.
    static let identities = 1_000
    /// Names a certificate may stand for; public authorities allow 100.
    static let namesPerCertificate = 1_000
    /// Names of authorities sent to clients, so that they choose a certificate: beyond it none are
    /// sent, which RFC 8446 4.2.4 allows.
    static let authorityNameBytes = 8 * 1024
    /// Bytes of certificates that a peer may send: four RSA-4096 certificates are 8 KiB.
    static let peerChainBytes = 24 * 1024
    /// The first message of a client: 500 bytes are usual, 1.8 KiB with post-quantum keys. OpenSSL
    /// alone allows 128 KiB and sets them aside when nine bytes have arrived.
    static let clientHelloBytes = 16 * 1024
    /// Steps of the protocol after the handshake, per mebibyte of plaintext: key updates, tickets,
    /// refused renegotiations. A key update is five steps, about 10 µs, and due after gibibytes; a
    /// server sends up to four tickets. So many steps are 0.5 ms, in one call or in many.
    static let stepsPerWindow = 256
    static let stepWindowBytes = 1 << 20
    /// Records sealed with one key: RFC 8446 5.5 allows 2^24.5 of AES-GCM.
    static let recordsPerKey: UInt32 = 1 << 23
    /// Sessions kept for resumption, per loop and client context: 3 KiB each, with the chain.
    static let resumptions = 32
    /// Ticket keys that open: the newest, which also seals, and two before it.
    static let ticketKeys = 3
    /// How long a session may be resumed. Tickets are shorter lived than the keys that open them,
    /// when these change every hour or more seldom.
    static let sessionSeconds = 7_200
    /// 5 header, 8 nonce (TLS 1.2), 16 tag, 1 content type; rounded up.
    static let recordOverheadBytes = 32
    /// A key update of our own and an answer to one of the peer's may go before the data.
    static let sealSlackBytes = 256

    /// What says that nothing more will be sent: an alert of 2 bytes in a record.
    package static let closeBytes = 256

    /// The least room to seal into: one record and what may go before it.
    package static let sealRoomBytes = 17 * 1024

    /// The room that sealing `plaintextBytes` at once needs, unless the peer wants small records.
    package static func sealedBytes(_ plaintextBytes: Int) -> Int {
        let records = plaintextBytes / recordBytes + 1
        return max(
            sealRoomBytes, plaintextBytes + records * recordOverheadBytes + sealSlackBytes)
    }

    /// The room that opening `ciphertextBytes` may need: the rest of a record may have waited.
    package static func openedBytes(_ ciphertextBytes: Int) -> Int {
        ciphertextBytes + recordBytes
    }
}
