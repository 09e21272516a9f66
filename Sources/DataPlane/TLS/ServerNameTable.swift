// Which certificate stands for the name that a client asked for: exact names first, then one
// wildcard for the whole leftmost label (RFC 9525 6.3). One block of memory, searched by bisection
// during handshakes. A plain handle: whoever made it frees it.

internal import Glibc

@safe
struct ServerNameTable {
    /// A name as a certificate spells it, and the place of that certificate.
    struct Entry: Equatable {
        let name: String
        let certificate: Int
    }

    private struct Row {
        let offset: Int
        let count: Int
        let certificate: Int
    }

    private let rows: UnsafeMutableBufferPointer<Row>
    private let text: UnsafeMutableRawBufferPointer

    /// Of equal names, the first entry counts. Names that no client can ask for are left out.
    init(_ entries: [Entry]) {
        var known: [[UInt8]: Int] = [:]
        for entry in entries {
            guard let name = Self.canonical(entry.name), known[name] == nil else { continue }
            known[name] = entry.certificate
        }
        let sorted = known.sorted { Self.precedes($0.key, $1.key) }
        unsafe rows = .allocate(capacity: sorted.count)
        unsafe text = .allocate(
            byteCount: sorted.reduce(0) { $0 + $1.key.count }, alignment: 1)
        var offset = 0
        for (index, (name, certificate)) in sorted.enumerated() {
            let row = Row(offset: offset, count: name.count, certificate: certificate)
            unsafe rows.initializeElement(at: index, to: row)
            for byte in name {
                unsafe text[offset] = byte
                offset += 1
            }
        }
    }

    func free() {
        unsafe rows.deallocate()
        unsafe text.deallocate()
    }

    var count: Int { unsafe rows.count }

    /// The certificate for a name in any case; nil when none was made for it.
    func certificate(for name: UnsafeRawBufferPointer) -> Int? {
        guard name.count > 0, name.count <= 253 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { lower in
            for index in 0..<name.count { unsafe lower[index] = Self.lowercased(name[index]) }
            let whole = unsafe UnsafeMutableRawBufferPointer(rebasing: lower[..<name.count])
            if let found = unsafe find(UnsafeRawBufferPointer(whole)) { return found }
            // `*.example.com` for `any.example.com`: the star takes the place of one whole label.
            guard let dot = unsafe whole.firstIndex(of: UInt8(ascii: ".")), dot > 0 else {
                return nil
            }
            unsafe whole[dot - 1] = UInt8(ascii: "*")
            return unsafe find(UnsafeRawBufferPointer(rebasing: whole[(dot - 1)...]))
        }
    }

    private func find(_ name: UnsafeRawBufferPointer) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let row = unsafe rows[middle]
            let order = unsafe compare(name, row)
            if order == 0 { return row.certificate }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    /// Shorter names first, then by their bytes.
    private func compare(_ name: UnsafeRawBufferPointer, _ row: Row) -> Int {
        if name.count != row.count { return name.count - row.count }
        guard let left = name.baseAddress, let right = unsafe text.baseAddress else {
            return 0
        }
        return Int(unsafe memcmp(left, right + row.offset, row.count))
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Lower case, or nil for what is no host name: empty labels, other characters, a star that is
    /// not the whole leftmost label.
    private static func canonical(_ name: String) -> [UInt8]? {
        let lower = name.utf8.map(lowercased)
        guard !lower.isEmpty, lower.count <= 253 else { return nil }
        let labels = lower.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for (index, label) in labels.enumerated() {
            if index == 0, labels.count > 1, label.elementsEqual([UInt8(ascii: "*")]) { continue }
            guard !label.isEmpty, label.allSatisfy(isNameByte) else { return nil }
        }
        return lower
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
