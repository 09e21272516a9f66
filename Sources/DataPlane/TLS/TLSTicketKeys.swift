// The keys of session tickets: the newest seals, the newest and two older ones open. Written by one
// thread every few hours, read by the loops during handshakes without a lock. A key that is no
// longer accepted is wiped: whoever steals memory later cannot open what was recorded before.

internal import COpenSSL
internal import Synchronization

/// Shared by all contexts, so that a session outlives a change of certificates.
package final class TLSTicketKeys: Sendable {
    let store: TicketKeyStore
    private let isRotating = Atomic<Bool>(false)
    private let rotated: Atomic<Int64>

    /// Begins with one key, from OpenSSL's generator.
    package init(now: Int64 = 0) {
        rotated = Atomic(now)
        store = TicketKeyStore()
        store.add(TicketKey.fresh())
    }

    /// Goes on with the keys of another process, whose sessions are then resumed here.
    package init(_ passed: PassedTicketKeys) {
        rotated = Atomic(passed.rotated)
        store = TicketKeyStore()
        for content in passed.keys.reversed() {
            if let key = TicketKey(content) { store.add(key) }
        }
        if store.key(age: 0) == nil { store.add(TicketKey.fresh()) }
    }

    /// The keys in use, for a process that takes over.
    package var passed: PassedTicketKeys {
        PassedTicketKeys(
            keys: (0..<TLSLimits.ticketKeys).compactMap { store.key(age: $0)?.bytes },
            rotated: lastRotation)
    }

    /// When the newest key came into use, by the clock of whoever rotates.
    package var lastRotation: Int64 { rotated.load(ordering: .relaxed) }

    deinit { store.free() }

    /// From now on a new key seals. Called every few hours, by one thread at a time.
    package func rotate(now: Int64 = 0) {
        rotated.store(now, ordering: .relaxed)
        let wasRotating = isRotating.exchange(true, ordering: .acquiring)
        precondition(!wasRotating, "keys are rotated by one thread at a time")
        store.add(TicketKey.fresh())
        isRotating.store(false, ordering: .releasing)
    }
}

/// Ticket keys on their way to another process. As secret as the process's memory.
package struct PassedTicketKeys: Sendable, Equatable {
    /// Newest first.
    package var keys: [[UInt8]]
    /// When the newest came into use.
    package var rotated: Int64

    package init(keys: [[UInt8]], rotated: Int64) {
        self.keys = keys
        self.rotated = rotated
    }
}

/// One key: the name that tickets carry, and what encrypts and authenticates them.
struct TicketKey {
    static let words = 10
    static let nameBytes = 16
    static let cipherKeyBytes = 32
    static let macKeyBytes = 32

    var content = InlineArray<10, UInt64>(repeating: 0)

    init() {}

    /// Nil when it is not as long as a key.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.words * 8 else { return nil }
        unsafe withUnsafeMutableBytes(of: &content) { unsafe $0.copyBytes(from: bytes) }
    }

    var bytes: [UInt8] { unsafe withUnsafeBytes(of: content) { unsafe Array($0) } }

    static func fresh() -> TicketKey {
        var key = TicketKey()
        let made = unsafe withUnsafeMutableBytes(of: &key.content) { bytes in
            unsafe RAND_priv_bytes(
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count))
        }
        precondition(made == 1, "the system gives random bytes")
        return key
    }
}

/// Four places in a row: three for keys in use, one being written or wiped. A reader copies a key
/// and then makes sure that no other key was added meanwhile.
@safe
struct TicketKeyStore: @unchecked Sendable {
    private static let places: UInt64 = 4
    private static let words = UInt64(TicketKey.words)

    private let content: UnsafeMutablePointer<Atomic<UInt64>>
    /// How many keys were ever added.
    private let count: UnsafeMutablePointer<Atomic<UInt64>>
    /// Looked up once: finding it by name takes longer than sealing a ticket.
    let cipher: OpaquePointer?

    init() {
        let total = Int(Self.places * Self.words)
        unsafe content = .allocate(capacity: total)
        for index in 0..<total { unsafe (content + index).initialize(to: Atomic(0)) }
        unsafe count = .allocate(capacity: 1)
        unsafe count.initialize(to: Atomic(0))
        unsafe cipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)
        precondition(unsafe cipher != nil, "OpenSSL has AES-256-CBC")
    }

    func free() {
        for place in 0..<Self.places { write(TicketKey(), to: place) }
        unsafe content.deallocate()
        unsafe count.deallocate()
        unsafe EVP_CIPHER_free(cipher)
    }

    func add(_ key: TicketKey) {
        let added = unsafe count.pointee.load(ordering: .relaxed)
        write(key, to: added % Self.places)
        unsafe count.pointee.store(added + 1, ordering: .releasing)
        // The place after it is that of the key just out of use, and of the next one.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        write(TicketKey(), to: (added + 1) % Self.places)
    }

    /// The key of some age, 0 being the newest; nil when there is none.
    func key(age: Int) -> TicketKey? {
        while true {
            let added = unsafe count.pointee.load(ordering: .acquiring)
            guard age < TLSLimits.ticketKeys, UInt64(age) < added else { return nil }
            let key = read((added - 1 - UInt64(age)) % Self.places)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            if unsafe count.pointee.load(ordering: .relaxed) == added { return key }
        }
    }

    private func write(_ key: TicketKey, to place: UInt64) {
        for word in 0..<TicketKey.words {
            let index = Int(place * Self.words) + word
            unsafe content[index].store(key.content[word], ordering: .relaxed)
        }
    }

    private func read(_ place: UInt64) -> TicketKey {
        var key = TicketKey()
        for word in 0..<TicketKey.words {
            let index = Int(place * Self.words) + word
            key.content[word] = unsafe content[index].load(ordering: .relaxed)
        }
        return key
    }
}

// MARK: Tickets

extension TicketKeyStore {
    /// What OpenSSL asks for when it makes or opens a ticket.
    @safe
    struct Ticket {
        let name: UnsafeMutablePointer<UInt8>
        let vector: UnsafeMutablePointer<UInt8>
        let cipher: OpaquePointer
        let mac: OpaquePointer
    }

    /// Seals with the newest key: 1, or -1 when OpenSSL cannot.
    func seal(_ ticket: Ticket) -> Int32 {
        guard var key = key(age: 0),
            unsafe RAND_bytes(ticket.vector, EVP_CIPHER_get_iv_length(cipher)) == 1
        else { return -1 }
        return unsafe arm(ticket, &key, seals: true) { name in
            unsafe UnsafeMutableRawPointer(ticket.name)
                .copyMemory(from: name, byteCount: TicketKey.nameBytes)
            return true
        }
    }

    /// Opens with the key that the ticket names: 1, 2 when it should be replaced by one of the
    /// newest key, 0 when the key is gone and a whole handshake is needed.
    func open(_ ticket: Ticket) -> Int32 {
        for age in 0..<TLSLimits.ticketKeys {
            guard var key = key(age: age) else { return 0 }
            let answer = unsafe arm(ticket, &key, seals: false) { name in
                unsafe memcmp(name, ticket.name, TicketKey.nameBytes) == 0
            }
            if answer != 0 { return answer == 1 && age > 0 ? 2 : answer }
        }
        return 0
    }

    /// 0 when the key is not the one named; leaves nothing of it on the stack.
    private func arm(
        _ ticket: Ticket, _ key: inout TicketKey, seals: Bool,
        named: (UnsafeRawPointer) -> Bool
    ) -> Int32 {
        unsafe withUnsafeMutableBytes(of: &key.content) { bytes -> Int32 in
            defer { unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count) }
            guard let name = bytes.baseAddress, unsafe named(name) else { return 0 }
            let cipherKey = unsafe name + TicketKey.nameBytes
            let macKey = unsafe cipherKey + TicketKey.cipherKeyBytes
            let armed = unsafe penstock_ssl_arm_ticket(
                ticket.cipher, ticket.mac, cipher,
                cipherKey.assumingMemoryBound(to: UInt8.self),
                macKey.assumingMemoryBound(to: UInt8.self), TicketKey.macKeyBytes,
                ticket.vector, seals ? 1 : 0)
            return armed == 1 ? 1 : -1
        }
    }
}
