// The pieces of a header block as bytes (RFC 7541 5, 6), the table that everybody knows, and how
// fields are compared. Writers have made sure of the room.

internal import CNGHTTP2

@safe struct HPACKWriter {
    private let start: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ room: UnsafeMutableRawPointer) { unsafe start = unsafe room }

    /// RFC 7541 5.1: the low bits of the first byte, then seven at a time.
    @inline(__always)
    mutating func number(_ value: Int, prefix: UInt8, form: UInt8) {
        let most = 1 &<< Int(prefix) &- 1
        if value < most { return byte(form | UInt8(truncatingIfNeeded: value)) }
        byte(form | UInt8(truncatingIfNeeded: most))
        var rest = value &- most
        while rest >= 128 {
            byte(UInt8(truncatingIfNeeded: rest & 127) | 128)
            rest &>>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// RFC 7541 6.2.
    ///
    /// - Parameter name: its place in the tables; 0 is none.
    @inline(__always)
    mutating func literal(_ field: nghttp2_nv, _ name: Int, prefix: UInt8, form: UInt8) {
        number(name, prefix: prefix, form: form)
        if name == 0 { unsafe text(field.name, field.namelen) }
        unsafe text(field.value, field.valuelen)
    }

    private mutating func text(_ bytes: UnsafePointer<UInt8>?, _ length: Int) {
        number(length, prefix: 7, form: 0)
        guard length > 0, let bytes = unsafe bytes else { return }
        unsafe Word.copy(bytes, to: start + count, length)
        count &+= length
    }

    @inline(__always)
    private mutating func byte(_ value: UInt8) {
        unsafe start.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }
}

/// The static table (RFC 7541 A), as far as heads of the gateway need it.
enum HPACKStatic {
    static let path = 4

    /// Where the whole field stands, or 0, and where its name does, or 0.
    @inline(__always)
    static func place(of field: nghttp2_nv, _ known: FieldName) -> (whole: Int, name: Int) {
        if known != .other { return (0, name(of: known)) }
        guard unsafe field.namelen > 4, let name = unsafe field.name, unsafe name[0] == 0x3A
        else { return (0, 0) }
        let value = unsafe UnsafeRawBufferPointer(start: field.value, count: field.valuelen).bytes
        switch unsafe field.namelen {
        case 5: return (equals(value, "/") ? 4 : 0, path)
        case 10: return (0, 1)
        case 7:
            if unsafe name[1] == 0x6D {
                return (equals(value, "GET") ? 2 : equals(value, "POST") ? 3 : 0, 2)
            }
            if unsafe name[2] == 0x63 { return (equals(value, "http") ? 6 : 7, 6) }
            return (status(value), 8)
        default: return (0, 0)
        }
    }

    private static func status(_ value: RawSpan) -> Int {
        if equals(value, "200") { return 8 }
        if equals(value, "204") { return 9 }
        if equals(value, "206") { return 10 }
        if equals(value, "304") { return 11 }
        if equals(value, "400") { return 12 }
        if equals(value, "404") { return 13 }
        return equals(value, "500") ? 14 : 0
    }

    private static func equals(_ value: RawSpan, _ text: StaticString) -> Bool {
        value.isExactly(Slice(from: 0, to: value.byteCount), text)
    }

    private static func name(of known: FieldName) -> Int {
        switch known {
        case .age: 21
        case .authorization: 23
        case .cacheControl: 24
        case .contentEncoding: 26
        case .contentLength: 28
        case .contentRange: 30
        case .contentType: 31
        case .cookie: 32
        case .date: 33
        case .expect: 35
        case .expires: 36
        case .host: 38
        case .location: 46
        case .maxForwards: 47
        case .proxyAuthenticate: 48
        case .proxyAuthorization: 49
        case .range: 50
        case .retryAfter: 53
        case .server: 54
        case .setCookie: 55
        case .transferEncoding: 57
        case .vary: 59
        case .wwwAuthenticate: 61
        default: 0
        }
    }
}

/// How fields are told apart: by 64 bits of hash, then byte by byte.
enum HPACKHash {
    @inline(__always)
    static func of(_ field: nghttp2_nv) -> UInt64 {
        let name = unsafe mix(0x9E37_79B9_7F4A_7C15, field.name, field.namelen)
        return unsafe mix(name, field.value, field.valuelen)
    }

    @inline(__always)
    private static func mix(
        _ seed: UInt64, _ bytes: UnsafePointer<UInt8>?, _ count: Int
    ) -> UInt64 {
        var hash = (seed ^ UInt64(truncatingIfNeeded: count)) &* 0xFF51_AFD7_ED55_8CCD
        guard count > 0, let start = unsafe UnsafeRawPointer(bytes) else { return hash }
        var offset = 0
        while offset &+ 8 <= count {
            let word = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = (hash ^ word) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash &>> 32
            offset &+= 8
        }
        if offset < count {
            hash = unsafe (hash ^ rest(start, count)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash &>> 32
        }
        return hash
    }

    /// The last bytes, up to eight, as one number; of longer ones some were seen already.
    @inline(__always)
    private static func rest(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 8 {
            return unsafe start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        }
        if count >= 4 {
            let first = unsafe start.loadUnaligned(as: UInt32.self)
            let last = unsafe start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            return UInt64(first) | UInt64(last) &<< 32
        }
        let first = unsafe start.load(as: UInt8.self)
        let middle = unsafe start.load(fromByteOffset: count &>> 1, as: UInt8.self)
        let last = unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self)
        return UInt64(first) | UInt64(middle) &<< 8 | UInt64(last) &<< 16
    }

    @inline(__always)
    static func isSame(
        _ left: UnsafeRawPointer, _ right: UnsafePointer<UInt8>?, _ count: Int
    ) -> Bool {
        guard count > 0, let right = unsafe UnsafeRawPointer(right) else { return true }
        var offset = 0
        while offset &+ 8 <= count {
            let one = unsafe left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let other = unsafe right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if one != other { return false }
            offset &+= 8
        }
        return unsafe offset == count || rest(left, count) == rest(right, count)
    }
}
