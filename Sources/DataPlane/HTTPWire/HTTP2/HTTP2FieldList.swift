// From a head that the gateway composed, in the form of HTTP/1.1, to the fields of a header block:
// the first line becomes pseudo-header fields, Host `:authority`, and what belongs to an HTTP/1.1
// connection is left out (RFC 9113 8.2.2). One list serves a whole loop. The fields are pointers:
// into a copy of the head that lives until it has left, or into what the library copies at once.

internal import CNGHTTP2

/// Why a head cannot be sent over HTTP/2. Ours are all well-formed, so this is about what they say.
package enum HTTP2HeadFault: Error, Equatable, Sendable {
    /// Not a head.
    case malformed
    case tooManyFields
    /// 101 to a request that is no extended CONNECT, or a plain success to one that is; or a
    /// request to upgrade where the peer knows no extended CONNECT.
    case cannotUpgrade
    /// The stream is gone, or has had its head already.
    case streamOver
}

@safe struct HTTP2FieldList: ~Copyable {
    private let rows: UnsafeMutablePointer<nghttp2_nv>
    private let kinds: UnsafeMutablePointer<UInt8>
    /// Where the list stands in the rows: it grows at both ends.
    private var start = 0
    private var end = 0
    private var authority = Slice.none
    /// What the head says of its body; negative when nothing.
    private(set) var contentLength: Int64 = -1
    private(set) var priority = HTTP2PrioritySignal()
    private(set) var status: UInt16 = 0
    private(set) var isUpgrade = false
    private(set) var isHeadMethod = false

    /// The copy of the head being read, if the fields are to lie in it.
    private var copy: UnsafeMutableRawPointer?

    private static let capacity = Limits.headersMax + 16
    /// `:method`, `:scheme`, `:path`, `:authority` and `:protocol`.
    private static let pseudoFields = 5

    init() {
        unsafe rows = .allocate(capacity: HTTP2FieldList.capacity)
        unsafe kinds = .allocate(capacity: HTTP2FieldList.capacity)
        unsafe copy = nil
    }

    deinit {
        unsafe rows.deallocate()
        unsafe kinds.deallocate()
    }

    var count: Int { end &- start }

    var storage: UnsafeMutablePointer<nghttp2_nv> { unsafe rows + start }

    /// Of each, its `FieldName`; pseudo-header fields are 0.
    var known: UnsafeMutablePointer<UInt8> { unsafe kinds + start }

    // MARK: Answers

    /// - Parameter isExtendedConnect: of the request; 101 then becomes the 200 of RFC 8441.
    mutating func readAnswer(
        _ bytes: RawSpan, isExtendedConnect: Bool, copy: inout HTTP2HeadCopy
    ) throws(HTTP2HeadFault) {
        clear()
        // Several interim heads may wait at once, so the library copies them.
        let isInterim = bytes.byteCount > 9 && bytes.byte(9) == 0x31
        if !isInterim { begin(bytes, copy: &copy) }
        guard bytes.byteCount >= 12, let end = bytes.firstIndex(of: 0x0D, from: 12)
        else { throw .malformed }
        for index in 9..<12 {
            let digit = bytes.byte(index) &- 0x30
            guard digit < 10 else { throw .malformed }
            status = status &* 10 &+ UInt16(digit)
        }
        let isSwitch = status == 101
        guard isSwitch ? isExtendedConnect : !(isExtendedConnect && status / 100 == 2)
        else { throw .cannotUpgrade }
        if isSwitch {
            unsafe add(field(":status", "200"))
            status = 200
        } else {
            unsafe add(field(":status", bytes, Slice(from: 9, to: 12)))
        }
        try readFields(bytes, from: end &+ 2, isRequest: false)
        if isSwitch { drop("sec-websocket-accept") }
    }

    // MARK: Requests

    /// - Parameter maySwitch: the peer knows extended CONNECT.
    mutating func readRequest(
        _ bytes: RawSpan, isSecure: Bool, maySwitch: Bool, copy: inout HTTP2HeadCopy
    ) throws(HTTP2HeadFault) {
        clear()
        begin(bytes, copy: &copy)
        guard let methodEnd = bytes.firstIndex(of: 0x20, from: 0),
            let targetEnd = bytes.firstIndex(of: 0x20, from: methodEnd &+ 1),
            let end = bytes.firstIndex(of: 0x0D, from: targetEnd), methodEnd > 0
        else { throw .malformed }
        let method = Slice(from: 0, to: methodEnd)
        isHeadMethod = bytes.isExactly(method, "HEAD")
        // Those with a colon come first, but only the others tell which there are.
        start = HTTP2FieldList.pseudoFields
        self.end = start
        try readFields(bytes, from: end &+ 2, isRequest: true)
        if isUpgrade {
            guard maySwitch else { throw .cannotUpgrade }
            drop("sec-websocket-key")
            unsafe prepend(field(":protocol", "websocket"))
        }
        if authority.count > 0 { unsafe prepend(field(":authority", bytes, authority)) }
        let target = Slice(from: methodEnd &+ 1, to: targetEnd)
        unsafe prepend(field(":path", bytes, target))
        unsafe prepend(field(":scheme", isSecure ? "https" : "http"))
        unsafe prepend(
            isUpgrade ? field(":method", "CONNECT") : field(":method", bytes, method))
    }

    // MARK: Trailers

    /// `bytes` are field lines and an empty line.
    mutating func readTrailers(_ bytes: RawSpan) throws(HTTP2HeadFault) {
        clear()
        try readFields(bytes, from: 0, isRequest: false)
    }

    // MARK: Fields

    private mutating func begin(_ bytes: RawSpan, copy: inout HTTP2HeadCopy) {
        copy.fill(bytes)
        unsafe self.copy = unsafe copy.memory
    }

    private mutating func clear() {
        unsafe copy = nil
        start = 0
        end = 0
        authority = .none
        contentLength = -1
        priority = HTTP2PrioritySignal()
        status = 0
        isUpgrade = false
        isHeadMethod = false
    }

    private mutating func readFields(
        _ bytes: RawSpan, from start: Int, isRequest: Bool
    ) throws(HTTP2HeadFault) {
        var position = start
        let copy = unsafe self.copy
        while position &+ 1 < bytes.byteCount, bytes.byte(position) != 0x0D {
            guard let colon = unsafe HTTP2FieldList.readName(bytes, from: position, copy),
                colon > position,
                let end = bytes.firstIndex(of: 0x0D, from: colon)
            else { throw .malformed }
            var first = colon &+ 1
            while first < end, ByteClass.isSpace(bytes.byte(first)) { first &+= 1 }
            var last = end
            while last > first, ByteClass.isSpace(bytes.byte(last &- 1)) { last &-= 1 }
            guard self.end < HTTP2FieldList.capacity else { throw .tooManyFields }
            take(
                bytes, Slice(from: position, to: colon), Slice(from: first, to: last),
                isRequest: isRequest)
            position = end &+ 2
        }
    }

    /// Where the colon is. Upper case on the way becomes lower case in the copy: names are mostly
    /// letters and hyphens, and those have their case in one bit, eight at a time.
    @inline(__always)
    private static func readName(
        _ bytes: RawSpan, from start: Int, _ copy: UnsafeMutableRawPointer?
    ) -> Int? {
        var position = start
        while position &+ 8 <= bytes.byteCount {
            let word = bytes.word(position)
            let others = Word.notLettersOrHyphens(word)
            let fold = others == 0 ? Word.fold : Word.fold & (((others & (0 &- others)) &>> 7) &- 1)
            unsafe lower(word | fold, at: position, copy)
            if others == 0 {
                position &+= 8
                continue
            }
            position &+= others.trailingZeroBitCount &>> 3
            if bytes.byte(position) == 0x3A { return position }
            position &+= 1
        }
        return unsafe readEnd(bytes, from: position, copy)
    }

    @inline(__always)
    private static func lower(
        _ word: UInt64, at offset: Int, _ copy: UnsafeMutableRawPointer?
    ) {
        guard let copy = unsafe copy else { return }
        unsafe copy.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// As above, in the last seven bytes of the head.
    @inline(never)
    private static func readEnd(
        _ bytes: RawSpan, from start: Int, _ copy: UnsafeMutableRawPointer?
    ) -> Int? {
        for position in start..<bytes.byteCount {
            let byte = ByteClass.lowercased(bytes.byte(position))
            if byte == 0x3A { return position }
            if let copy = unsafe copy {
                unsafe copy.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
            }
        }
        return nil
    }

    private mutating func take(
        _ bytes: RawSpan, _ name: Slice, _ value: Slice, isRequest: Bool
    ) {
        let known = FieldName.classify(bytes, name)
        switch known {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding: return
        case .te:
            // RFC 9113 8.2.2: the only coding it may name.
            if bytes.equals(value, "trailers") { add(bytes, name, value, known) }
            return
        case .upgrade:
            if isRequest, bytes.equals(value, "websocket") { isUpgrade = true }
            return
        case .host where isRequest:
            authority = value
            return
        case .contentLength:
            contentLength = decimal(bytes, value)
        case .priority:
            priority.read(bytes, from: value.start, to: value.end)
        default: break
        }
        add(bytes, name, value, known)
    }

    private func decimal(_ bytes: RawSpan, _ value: Slice) -> Int64 {
        guard value.count > 0, value.count <= 18 else { return -1 }
        var number: Int64 = 0
        for index in value.start..<value.end {
            let digit = bytes.byte(index) &- 0x30
            guard digit < 10 else { return -1 }
            number = number &* 10 &+ Int64(digit)
        }
        return number
    }

    // MARK: The list

    private mutating func add(_ field: nghttp2_nv) {
        unsafe rows[end] = unsafe field
        unsafe kinds[end] = 0
        end &+= 1
    }

    /// There is room for each of the pseudo-header fields once.
    private mutating func prepend(_ field: nghttp2_nv) {
        precondition(start > 0, "a place in front")
        start &-= 1
        unsafe rows[start] = unsafe field
        unsafe kinds[start] = 0
    }

    private mutating func add(
        _ bytes: RawSpan, _ name: Slice, _ value: Slice, _ known: FieldName
    ) {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let start = unsafe copy.map({ UnsafeRawPointer($0) }) ?? buffer.baseAddress
            else { return }
            unsafe rows[end] = penstock_h2_field(
                start + name.start, Int(name.count), start + value.start, Int(value.count),
                flags)
            unsafe kinds[end] = known.rawValue
            end &+= 1
        }
    }

    /// What lies in the copy need not be copied again.
    private var flags: UInt8 {
        let kept = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
        return unsafe copy == nil ? 0 : UInt8(kept)
    }

    private func field(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        let kept = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
        return unsafe penstock_h2_field(
            name.utf8Start, name.utf8CodeUnitCount, value.utf8Start, value.utf8CodeUnitCount,
            UInt8(kept))
    }

    private func field(_ name: StaticString, _ bytes: RawSpan, _ value: Slice) -> nghttp2_nv {
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe copy.map({ UnsafeRawPointer($0) }) ?? buffer.baseAddress
            return unsafe penstock_h2_field(
                name.utf8Start, name.utf8CodeUnitCount, start.map { unsafe $0 + value.start },
                Int(value.count), flags | UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
        }
    }

    private mutating func removeField(at index: Int) {
        end &-= 1
        for place in index..<count {
            unsafe storage[place] = storage[place &+ 1]
            unsafe known[place] = known[place &+ 1]
        }
    }

    /// Takes out the fields with this name, which is lower case.
    private mutating func drop(_ name: StaticString) {
        var index = 0
        while index < count {
            let field = unsafe storage[index]
            let text = unsafe UnsafeRawBufferPointer(start: field.name, count: field.namelen).bytes
            if text.equals(Slice(from: 0, to: text.byteCount), name) {
                removeField(at: index)
            } else {
                index &+= 1
            }
        }
    }
}
