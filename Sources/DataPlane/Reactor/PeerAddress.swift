// Where a connection came from, small enough for its record. IPv4 is kept as ::ffff:a.b.c.d, and
// written as RFC 4291 and RFC 5952 want it: dotted for IPv4, shortest lower-case form for IPv6.

package struct PeerAddress: Sendable, Hashable {
    /// The first and the last 8 bytes of the address, as numbers.
    package var high: UInt64
    package var low: UInt64
    package var port: UInt16
    package var isUnix: Bool

    /// The longest text: eight groups of four digits and seven colons.
    package static let textBytesMax = 39

    package init(high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
        isUnix = false
    }

    package init(ipv4: UInt32, port: UInt16) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4), port: port)
    }

    private init() {
        self.init(high: 0, low: 0, port: 0)
        isUnix = true
    }

    /// A peer on a unix socket, which has no address.
    package static var unix: PeerAddress { PeerAddress() }

    package var isIPv4: Bool {
        !isUnix && high == 0 && low >> 32 == 0xffff
    }

    /// Writes the address without its port and answers the count of bytes: at most 39, which
    /// `buffer` must hold. A unix peer is `unix`.
    package func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var text = unsafe AddressText(buffer)
        if isUnix {
            unsafe text.append("unix")
        } else if isIPv4 {
            unsafe text.appendDotted(UInt32(truncatingIfNeeded: low))
        } else {
            unsafe text.appendGroups(of: self)
        }
        return unsafe text.count
    }

    fileprivate func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index & 3)))
    }

    /// The longest run of at least two zero groups, the first of equals (RFC 5952 4.2).
    fileprivate func longestZeroRun() -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index + 1
            } else if index + 1 - start > max(best.count, 1) {
                best = start..<(index + 1)
            }
        }
        return best
    }
}

extension PeerAddress: CustomStringConvertible {
    package var description: String {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.textBytesMax, alignment: 1) { buffer in
            let count = unsafe write(into: buffer)
            return unsafe String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}

/// A cursor over the caller's buffer; writing past its end traps.
@unsafe
private struct AddressText {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        unsafe self.buffer = unsafe buffer
    }

    mutating func append(_ byte: UInt8) {
        unsafe precondition(count < buffer.count, "an address fits its buffer")
        unsafe buffer[count] = byte
        unsafe count += 1
    }

    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { unsafe append(text.utf8Start[index]) }
    }

    mutating func appendDotted(_ address: UInt32) {
        for place in 0..<4 {
            if place > 0 { unsafe append(UInt8(ascii: ".")) }
            unsafe appendDecimal(UInt8(truncatingIfNeeded: address >> UInt32(24 - 8 * place)))
        }
    }

    mutating func appendDecimal(_ value: UInt8) {
        if value >= 100 { unsafe append(0x30 + value / 100) }
        if value >= 10 { unsafe append(0x30 + value / 10 % 10) }
        unsafe append(0x30 + value % 10)
    }

    mutating func appendGroups(of address: PeerAddress) {
        let zeros = address.longestZeroRun()
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound && !zeros.isEmpty {
                unsafe append("::")
                index = zeros.upperBound
                continue
            }
            if index > 0 && index != zeros.upperBound { unsafe append(UInt8(ascii: ":")) }
            unsafe appendHex(address.group(index))
            index += 1
        }
    }

    mutating func appendHex(_ value: UInt16) {
        let digits = max(1, (19 - value.leadingZeroBitCount) / 4)
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: value >> UInt16(4 * place) & 15)
            unsafe append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }
}
