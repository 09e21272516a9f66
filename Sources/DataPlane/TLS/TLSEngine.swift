// What the sessions of one loop share: OpenSSL reads from and writes to memory that the caller
// lends for the time of one call. A single BIO serves all sessions, since only one of them works at
// a time; each would otherwise need one of its own, with buffers.

internal import COpenSSL

/// One per loop, made and used on the loop's thread. Its sessions may outlive it.
@safe
package struct TLSEngine: ~Copyable {
    let bio: OpaquePointer
    let transfer: UnsafeMutablePointer<Transfer>

    /// - Parameter loop: which of the loops this is, from 0; it has its own sessions to resume.
    package init(loop: Int) {
        guard let method = unsafe transferMethod, let bio = unsafe BIO_new(method) else {
            preconditionFailure("there is memory for a loop's BIO")
        }
        unsafe self.bio = bio
        unsafe transfer = .allocate(capacity: 1)
        unsafe transfer.initialize(to: Transfer(loop: loop))
        unsafe BIO_set_data(bio, transfer)
        unsafe BIO_set_init(bio, 1)
    }

    deinit {
        // The last session lets the memory go.
        unsafe BIO_free(bio)
    }
}

/// The memory lent for the call under way, and what happened in it.
@safe
struct Transfer {
    let loop: Int
    private var input: UnsafeRawPointer?
    private(set) var inputCount = 0
    private var output: UnsafeMutableRawPointer?
    private var outputRoom = 0
    private(set) var outputCount = 0
    /// Steps of the protocol other than application data.
    private(set) var steps = 0

    init(loop: Int) {
        self.loop = loop
    }

    mutating func begin(
        _ source: UnsafeRawBufferPointer, _ sink: UnsafeMutableRawBufferPointer
    ) {
        unsafe input = source.baseAddress
        inputCount = source.count
        unsafe output = sink.baseAddress
        outputRoom = sink.count
        outputCount = 0
        steps = 0
    }

    /// Nothing lent is touched after the call.
    mutating func end() {
        unsafe input = nil
        inputCount = 0
        unsafe output = nil
        outputRoom = 0
    }

    mutating func step() { steps += 1 }

    mutating func forgetSteps() { steps = 0 }

    /// Hands out up to `count` bytes of the input. None while the peer asks for too many steps: the
    /// call then ends, and its session with it.
    mutating func read(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let amount = min(count, steps > TLSLimits.stepsPerWindow ? 0 : inputCount)
        guard amount > 0, let source = unsafe input else { return 0 }
        unsafe target.copyMemory(from: source, byteCount: amount)
        unsafe input = source + amount
        inputCount -= amount
        return amount
    }

    /// Takes all or nothing.
    mutating func write(_ source: UnsafeRawPointer, _ count: Int) -> Bool {
        guard let target = unsafe output, outputCount + count <= outputRoom else { return false }
        unsafe (target + outputCount).copyMemory(from: source, byteCount: count)
        outputCount += count
        return true
    }

    /// The transfer behind a BIO of an engine.
    static func of(_ bio: OpaquePointer?) -> UnsafeMutablePointer<Transfer>? {
        unsafe BIO_get_data(bio)?.assumingMemoryBound(to: Transfer.self)
    }

    /// The transfer that a session works with.
    static func of(session: OpaquePointer?) -> UnsafeMutablePointer<Transfer>? {
        unsafe of(SSL_get_rbio(session))
    }
}

/// Made once; never freed, as sessions may end while the process does.
nonisolated(unsafe) private let transferMethod = unsafe makeTransferMethod()

private func makeTransferMethod() -> OpaquePointer? {
    guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "penstock")
    else { return nil }
    unsafe BIO_meth_set_read_ex(method) { bio, target, count, taken in
        unsafe penstock_bio_begin(bio)
        guard let transfer = unsafe Transfer.of(bio), let target = unsafe target else { return 0 }
        let amount = unsafe transfer.pointee.read(target, count)
        unsafe taken?.pointee = amount
        if amount > 0 { return 1 }
        // Never the end: only the caller knows whether more will come.
        unsafe penstock_bio_wants_input(bio)
        return 0
    }
    unsafe BIO_meth_set_write_ex(method) { bio, source, count, written in
        unsafe penstock_bio_begin(bio)
        guard let transfer = unsafe Transfer.of(bio), let source = unsafe source,
            unsafe transfer.pointee.write(source, count)
        else { return 0 }
        unsafe written?.pointee = count
        return 1
    }
    unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
        command == BIO_CTRL_FLUSH ? 1 : 0
    }
    unsafe BIO_meth_set_destroy(method) { bio in
        unsafe Transfer.of(bio)?.deallocate()
        return 1
    }
    return unsafe method
}
