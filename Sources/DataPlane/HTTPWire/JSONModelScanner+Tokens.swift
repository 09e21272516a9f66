// The small machines inside JSON tokens that the scanner is made of, one byte at a time. Each is a
// value that a cut in the input leaves as it is.

extension JSONModelScanner {
    /// The four digits of `\u`, and the pair two of them can make (RFC 8259, 7).
    struct HexEscape: Sendable {
        enum Step: Equatable {
            case goesOn, wrong, awaitsLow
            case scalar(UInt32)
        }

        private var value: UInt32 = 0
        private var digits: UInt8 = 0
        private var high: UInt32 = 0

        /// A high surrogate was read; only `\u` with a low one may follow.
        var awaitsLow: Bool { high != 0 }

        mutating func begin() {
            value = 0
            digits = 0
        }

        mutating func take(_ byte: UInt8) -> Step {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x41...0x46: digit = byte &- 0x37
            case 0x61...0x66: digit = byte &- 0x57
            default: return .wrong
            }
            value = value << 4 | UInt32(digit)
            digits &+= 1
            return digits < 4 ? .goesOn : complete()
        }

        private mutating func complete() -> Step {
            let isLow = value & 0xfc00 == 0xdc00
            if high != 0 {
                guard isLow else { return .wrong }
                let scalar = 0x1_0000 + (high & 0x3ff) << 10 + value & 0x3ff
                high = 0
                return .scalar(scalar)
            }
            if isLow { return .wrong }
            if value & 0xfc00 == 0xd800 {
                high = value
                return .awaitsLow
            }
            return .scalar(value)
        }
    }

    /// Well-formed UTF-8 (RFC 3629, 4: no overlong forms, no surrogates, nothing above U+10FFFF).
    struct UTF8Check: Sendable {
        private var left: UInt8 = 0
        private var lowest: UInt8 = 0x80
        private var highest: UInt8 = 0xbf

        var isInside: Bool { left > 0 }

        mutating func take(_ byte: UInt8) -> Bool {
            if left > 0 {
                guard byte >= lowest, byte <= highest else { return false }
                left &-= 1
                lowest = 0x80
                highest = 0xbf
                return true
            }
            switch byte {
            case 0x00...0x7f: return true
            case 0xc2...0xdf: left = 1
            case 0xe0...0xef:
                left = 2
                if byte == 0xe0 { lowest = 0xa0 }
                if byte == 0xed { highest = 0x9f }
            case 0xf0...0xf4:
                left = 3
                if byte == 0xf0 { lowest = 0x90 }
                if byte == 0xf4 { highest = 0x8f }
            default: return false
            }
            return true
        }
    }

    /// One to four bytes of a scalar value that is no surrogate.
    struct EncodedScalar: Sequence, IteratorProtocol {
        private var bytes: UInt32
        private var left: UInt8

        init(_ scalar: UInt32) {
            let last = 0x80 | scalar & 0x3f
            let third = 0x80 | scalar >> 6 & 0x3f
            let second = 0x80 | scalar >> 12 & 0x3f
            switch scalar {
            case 0..<0x80: (bytes, left) = (scalar, 1)
            case 0x80..<0x800: (bytes, left) = (0xc0 | scalar >> 6 | last << 8, 2)
            case 0x800..<0x1_0000:
                (bytes, left) = (0xe0 | scalar >> 12 | third << 8 | last << 16, 3)
            default:
                (bytes, left) = (
                    0xf0 | scalar >> 18 & 0x07 | second << 8 | third << 16 | last << 24, 4
                )
            }
        }

        mutating func next() -> UInt8? {
            guard left > 0 else { return nil }
            defer {
                bytes >>= 8
                left &-= 1
            }
            return UInt8(truncatingIfNeeded: bytes)
        }
    }

    /// `-12.5e+3`: an optional minus, no leading zeros, digits wherever a part begins.
    struct NumberCheck: Sendable {
        private enum Part: UInt8 {
            case start, minus, zero, integer, point, fraction, e, sign, exponent
        }

        private var part = Part.start

        var isComplete: Bool {
            switch part {
            case .zero, .integer, .fraction, .exponent: true
            default: false
            }
        }

        /// False when the byte does not go on with the number.
        mutating func take(_ byte: UInt8) -> Bool {
            let isDigit = byte &- 0x30 < 10
            switch part {
            case .start where byte == 0x2d: part = .minus
            case .start where isDigit, .minus where isDigit: part = byte == 0x30 ? .zero : .integer
            case .integer where isDigit, .fraction where isDigit, .exponent where isDigit: break
            case .zero where byte == 0x2e, .integer where byte == 0x2e: part = .point
            case .point where isDigit: part = .fraction
            case .zero where byte | 0x20 == 0x65, .integer where byte | 0x20 == 0x65,
                .fraction where byte | 0x20 == 0x65:
                part = .e
            case .e where byte == 0x2b || byte == 0x2d: part = .sign
            case .e where isDigit, .sign where isDigit: part = .exponent
            default: return false
            }
            return true
        }
    }

    /// `true`, `false` and `null`.
    struct LiteralCheck: Sendable {
        enum Step { case goesOn, complete, wrong }

        /// The letters still to come, the next one lowest.
        private var rest: UInt32 = 0

        init() {}

        init(first: UInt8) {
            switch first {
            case 0x74: rest = 0x65_7572
            case 0x66: rest = 0x6573_6c61
            default: rest = 0x6c_6c75
            }
        }

        mutating func take(_ byte: UInt8) -> Step {
            guard rest != 0, UInt8(truncatingIfNeeded: rest) == byte else { return .wrong }
            rest >>= 8
            return rest == 0 ? .complete : .goesOn
        }
    }
}
