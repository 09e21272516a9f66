// Header blocks on their way out (RFC 7541), for what the gateway sends most: whole heads. Values
// that return are told by their place in the table that both ends keep; the others go as they are,
// since Huffman's code costs more time than it saves bytes between neighbours. Belongs to a
// session; blocks must leave in the order in which they are made.

internal import CNGHTTP2

@safe struct HPACKEncoder: ~Copyable {
    /// What is remembered of a field that was told once.
    private struct Entry {
        var hash: UInt64 = 0
        var start: UInt32 = 0
        var nameCount: UInt16 = 0
        var valueCount: UInt16 = 0

        /// RFC 7541 4.1.
        var size: Int { Int(nameCount) &+ Int(valueCount) &+ 32 }
    }

    /// A power of two, and fewer than a byte counts.
    private static let entries = Limits.encoderTableBytes / 32
    /// Where entries of the same row by hash stand; with one place for each row, two fields of
    /// every head could push each other out for ever.
    private static let ways = 2
    /// Entries in use lie one behind the other: their bytes, and at most one gap at the end.
    private static let textBytes = 2 * Limits.encoderTableBytes
    static let staticCount = 61

    /// Nothing until the first head; then the text, the entries and, by hash, where the
    /// latest of them are.
    private var memory: UnsafeMutableRawPointer?
    private var textEnd = 0
    /// Entries so far; those in use are the last `count` of them, numbered up to this.
    private var inserted = 0
    private var count = 0
    private var size = 0
    private var sizeMax = Limits.encoderTableBytes
    /// What the peer has said of its table since the last block: the least, and the last.
    private var leastAllowed = -1
    private var allowed = Limits.headerTableBytes
    /// The latest entries with names whose values never return.
    private var uniqueNames = InlineArray<3, Int>(repeating: 0)

    init() { unsafe memory = nil }

    deinit { unsafe memory?.deallocate() }

    /// The peer has set the size of its table.
    mutating func peerAllows(_ bytes: Int) {
        if bytes == allowed { return }
        allowed = bytes
        leastAllowed = leastAllowed < 0 ? bytes : min(leastAllowed, bytes)
    }

    // MARK: Blocks

    /// So many bytes are enough for a block of these fields.
    static func bound(_ fields: UnsafeBufferPointer<nghttp2_nv>) -> Int {
        var sum = 16
        for index in fields.indices {
            let field = unsafe fields[index]
            sum &+= unsafe field.namelen &+ field.valuelen &+ 16
        }
        return sum
    }

    /// - Parameters:
    ///   - known: what each of the fields is, by its `FieldName`; pseudo-header fields are 0.
    ///   - room: of `bound` bytes at least.
    /// - Returns: how many bytes were written.
    mutating func encode(
        _ fields: UnsafeBufferPointer<nghttp2_nv>, _ known: UnsafePointer<UInt8>,
        into room: UnsafeMutableRawPointer
    ) -> Int {
        var out = unsafe HPACKWriter(room)
        if leastAllowed >= 0 { tellSize(&out) }
        for index in fields.indices {
            let name = FieldName(rawValue: unsafe known[index]) ?? .other
            unsafe encode(fields[index], name, to: &out)
        }
        return out.count
    }

    /// What `tellSize` writes at most: two numbers of three bytes.
    static let sizeBytes = 6

    /// Begins a block that uses no table, and so is not made here.
    ///
    /// - Returns: how many bytes were written.
    mutating func begin(into room: UnsafeMutableRawPointer) -> Int {
        if leastAllowed < 0 { return 0 }
        var out = unsafe HPACKWriter(room)
        tellSize(&out)
        return out.count
    }

    /// RFC 7541 4.2: before anything else, the least size and then the last.
    private mutating func tellSize(_ out: inout HPACKWriter) {
        let least = min(leastAllowed, Limits.encoderTableBytes)
        let last = min(allowed, Limits.encoderTableBytes)
        leastAllowed = -1
        sizeMax = least
        makeRoom(0)
        out.number(least, prefix: 5, form: 0x20)
        if last != least { out.number(last, prefix: 5, form: 0x20) }
        sizeMax = last
    }

    @inline(__always)
    private mutating func encode(
        _ field: nghttp2_nv, _ known: FieldName, to out: inout HPACKWriter
    ) {
        let (whole, name) = unsafe HPACKStatic.place(of: field, known)
        if whole > 0 { return out.number(whole, prefix: 7, form: 0x80) }
        let policy = unsafe HPACKPolicy(known, name, field.valuelen)
        switch policy {
        case .indexed: unsafe encodeIndexed(field, name, to: &out)
        case .plain: unsafe out.literal(field, name, prefix: 4, form: 0x00)
        case .never: unsafe out.literal(field, name, prefix: 4, form: 0x10)
        case .unique(let row): unsafe encodeUnique(field, row, to: &out)
        }
    }

    private mutating func encodeIndexed(
        _ field: nghttp2_nv, _ name: Int, to out: inout HPACKWriter
    ) {
        let hash = unsafe HPACKHash.of(field)
        if let place = unsafe find(field, hash) {
            return out.number(place, prefix: 7, form: 0x80)
        }
        guard unsafe insert(field, hash) else {
            return unsafe out.literal(field, name, prefix: 4, form: 0x00)
        }
        unsafe out.literal(field, name, prefix: 6, form: 0x40)
    }

    /// The first such field brings its name into the table, where later ones refer to it.
    private mutating func encodeUnique(
        _ field: nghttp2_nv, _ row: Int, to out: inout HPACKWriter
    ) {
        let number = uniqueNames[row]
        if number > inserted &- count {
            let place = HPACKEncoder.staticCount &+ 1 &+ inserted &- number
            return unsafe out.literal(field, place, prefix: 4, form: 0x10)
        }
        guard unsafe insert(field, HPACKHash.of(field)) else {
            return unsafe out.literal(field, 0, prefix: 4, form: 0x10)
        }
        uniqueNames[row] = inserted
        unsafe out.literal(field, 0, prefix: 6, form: 0x40)
    }

    // MARK: The table

    private static func place(_ number: Int) -> Int { number & (entries &- 1) }

    private func entry(_ number: Int) -> UnsafeMutablePointer<Entry>? {
        guard let memory = unsafe memory else { return nil }
        return unsafe (memory + HPACKEncoder.textBytes)
            .assumingMemoryBound(to: Entry.self) + HPACKEncoder.place(number)
    }

    /// Where in memory the places of the latest entries with such a hash stand: `ways` bytes.
    private static func row(_ hash: UInt64) -> Int {
        textBytes &+ entries &* MemoryLayout<Entry>.stride
            &+ place(Int(truncatingIfNeeded: hash >> 57)) &* ways
    }

    private func find(_ field: nghttp2_nv, _ hash: UInt64) -> Int? {
        guard let memory = unsafe memory else { return nil }
        let row = unsafe (memory + HPACKEncoder.row(hash)).assumingMemoryBound(to: UInt8.self)
        for way in 0..<HPACKEncoder.ways {
            // The latest entry that was given this place; a row never written names the first.
            let number = unsafe inserted &- HPACKEncoder.place(inserted &- Int(row[way]))
            guard number > inserted &- count, let entry = unsafe entry(number)?.pointee,
                entry.hash == hash, unsafe Int(entry.nameCount) == field.namelen,
                unsafe Int(entry.valueCount) == field.valuelen
            else { continue }
            let text = unsafe memory + Int(entry.start)
            if unsafe HPACKHash.isSame(text, field.name, field.namelen),
                unsafe HPACKHash.isSame(text + field.namelen, field.value, field.valuelen)
            {
                return HPACKEncoder.staticCount &+ 1 &+ inserted &- number
            }
        }
        return nil
    }

    /// False when the field is too large to be worth a place.
    private mutating func insert(_ field: nghttp2_nv, _ hash: UInt64) -> Bool {
        let bytes = unsafe field.namelen &+ field.valuelen
        guard bytes <= Limits.indexedFieldBytes, bytes &+ 32 <= sizeMax else { return false }
        let memory = unsafe reserve()
        makeRoom(bytes &+ 32)
        if textEnd &+ bytes > HPACKEncoder.textBytes { textEnd = 0 }
        let text = unsafe memory + textEnd
        if unsafe field.namelen > 0 {
            unsafe text.copyMemory(from: field.name, byteCount: field.namelen)
        }
        if unsafe field.valuelen > 0 {
            unsafe (text + field.namelen).copyMemory(from: field.value, byteCount: field.valuelen)
        }
        inserted &+= 1
        count &+= 1
        size &+= bytes &+ 32
        unsafe entry(inserted)?.pointee = Entry(
            hash: hash, start: UInt32(textEnd), nameCount: UInt16(field.namelen),
            valueCount: UInt16(field.valuelen))
        let row = unsafe (memory + HPACKEncoder.row(hash)).assumingMemoryBound(to: UInt8.self)
        unsafe row[1] = unsafe row[0]
        unsafe row[0] = UInt8(HPACKEncoder.place(inserted))
        textEnd &+= bytes
        return true
    }

    /// Lets the oldest go until so many bytes more fit.
    private mutating func makeRoom(_ bytes: Int) {
        while count > 0, size &+ bytes > sizeMax {
            size &-= unsafe entry(inserted &- count &+ 1)?.pointee.size ?? 0
            count &-= 1
        }
    }

    private mutating func reserve() -> UnsafeMutableRawPointer {
        if let memory = unsafe memory { return unsafe memory }
        let bytes =
            HPACKEncoder.textBytes &+ HPACKEncoder.entries
            &* (MemoryLayout<Entry>.stride &+ HPACKEncoder.ways)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        unsafe fresh.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        unsafe memory = fresh
        return unsafe fresh
    }
}

/// What becomes of a field that the static table does not have.
enum HPACKPolicy: Equatable {
    case indexed
    /// Its values seldom return, and would push out others.
    case plain
    /// Not to be kept by anybody on the way (RFC 7541 7.1.3).
    case never
    /// Each value is new; the name returns.
    case unique(Int)

    @inline(__always)
    init(_ known: FieldName, _ name: Int, _ valueCount: Int) {
        switch known {
        case .xRequestID: self = .unique(0)
        case .traceparent: self = .unique(1)
        case .penstockInferenceID: self = .unique(2)
        case .authorization, .proxyAuthorization: self = .never
        // Short enough to be guessed by trying.
        case .cookie: self = valueCount < 20 ? .never : .indexed
        case .contentLength, .age, .location, .setCookie: self = .plain
        default: self = name == HPACKStatic.path ? .plain : .indexed
        }
    }
}
