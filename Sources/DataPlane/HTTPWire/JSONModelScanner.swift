// Finds the `model` of an OpenAI-style request: the top-level string field of that name in a JSON
// object (RFC 8259), read byte by byte as the body arrives, building nothing else. The answer does
// not depend on how the body is cut. The first `model` wins: it decides before later bytes are
// there. Strict as far as it reads; what stands behind the answer is the replica's to judge.

package struct JSONModelScanner: Sendable {
    package enum Answer: Equatable, Sendable {
        case needMore
        /// The value, decoded, is in `withModel`.
        case found
        /// A JSON value without a top-level `model` that is a non-empty string.
        case absent
        /// Not JSON, deeper or longer than allowed, or a model name too long.
        case malformed
    }

    /// Deepest nesting followed; real requests reach about ten (tool schemas).
    package static let depthMax = 64
    /// The longest name of a model; registries stop at 255.
    package static let modelBytesMax = 256

    /// What may stand at the next byte.
    private enum State: UInt8 {
        case value, firstValueOrEnd, firstKeyOrEnd, key, colon, commaOrEnd
        case string, escape, hex, number, literal
    }

    private var state = State.value
    private var answer = Answer.needMore
    private var depth: UInt8 = 0
    /// Bit per level: 1 is an object, 0 an array; the lowest bit is the innermost.
    private var levels: UInt64 = 0
    private var isKey = false
    /// The value that follows belongs to the top-level key `model`.
    private var isModelNext = false
    private var isCapturing = false
    private var hex = HexEscape()
    private var utf8 = UTF8Check()
    private var number = NumberCheck()
    private var literal = LiteralCheck()
    private var bytesLeft: Int
    private var modelCount: UInt16 = 0
    private var model = InlineArray<256, UInt8>(repeating: 0)

    /// - Parameter bytesMax: how far to read before giving up as malformed.
    package init(bytesMax: Int) {
        bytesLeft = bytesMax
    }

    /// The decoded name after `.found`.
    package func withModel<Result>(_ body: (RawSpan) -> Result) -> Result {
        let bytes = unsafe model.span.bytes
        return body(bytes.extracting(0..<Int(modelCount)))
    }

    /// Reads on. Once it answers anything but `needMore`, it goes on answering that.
    package mutating func feed(_ bytes: RawSpan) -> Answer {
        var offset = 0
        while offset < bytes.byteCount, answer == .needMore {
            offset = skipPlain(bytes, from: offset)
            guard offset < bytes.byteCount else { break }
            guard bytesLeft > 0 else { return fail() }
            bytesLeft &-= 1
            if take(bytes.byte(offset)) { offset &+= 1 } else { bytesLeft &+= 1 }
        }
        return answer
    }

    /// The body ended. A number or nothing at all may just have become complete.
    package mutating func finish() -> Answer {
        guard answer == .needMore else { return answer }
        if state == .number, depth == 0, number.isComplete { answer = .absent }
        if answer == .needMore { return fail() }
        return answer
    }

    /// Long prompts are skipped eight bytes at a time: quotes, escapes, controls and anything
    /// beyond ASCII stop it.
    @inline(__always)
    private mutating func skipPlain(_ bytes: RawSpan, from start: Int) -> Int {
        guard state == .string, !isCapturing, !utf8.isInside, !hex.awaitsLow
        else { return start }
        var offset = start
        while bytes.byteCount &- offset >= 8, bytesLeft >= 8 {
            let word = bytes.word(offset)
            let stops =
                Word.below(word, 0x20) | Word.zeros(word ^ Word.all(0x22))
                | Word.zeros(word ^ Word.all(0x5c)) | word
            if stops & Word.high != 0 { break }
            offset &+= 8
            bytesLeft &-= 8
        }
        return offset
    }

    /// False when the byte ended a number and is to be read again.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch state {
        case .string: inString(byte)
        case .escape: inEscape(byte)
        case .hex: inHex(byte)
        case .literal:
            switch literal.take(byte) {
            case .goesOn: break
            case .complete: endValue()
            case .wrong: fail()
            }
        case .number:
            if number.take(byte) { return true }
            if number.isComplete { endValue() } else { fail() }
            return false
        case .value, .firstValueOrEnd, .firstKeyOrEnd, .key, .colon, .commaOrEnd:
            if !JSONModelScanner.isSpace(byte) { between(byte) }
        }
        return true
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    @discardableResult
    private mutating func fail() -> Answer {
        answer = .malformed
        return answer
    }
}

// Structure

extension JSONModelScanner {
    private var isInObject: Bool { levels & 1 == 1 }

    private mutating func between(_ byte: UInt8) {
        switch (state, byte) {
        case (.firstValueOrEnd, 0x5d), (.firstKeyOrEnd, 0x7d): close()
        case (.value, _), (.firstValueOrEnd, _): beginValue(byte)
        case (.firstKeyOrEnd, 0x22), (.key, 0x22):
            isKey = true
            beginString(capturing: depth == 1)
        case (.colon, 0x3a): state = .value
        case (.commaOrEnd, 0x2c): state = isInObject ? .key : .value
        case (.commaOrEnd, 0x7d) where isInObject: close()
        case (.commaOrEnd, 0x5d) where !isInObject: close()
        default: fail()
        }
    }

    private mutating func beginValue(_ byte: UInt8) {
        let isModel = isModelNext
        isModelNext = false
        // A `model` that is no string names none, and the first one decides.
        if isModel, byte != 0x22, JSONModelScanner.beginsValue(byte) {
            answer = .absent
            return
        }
        switch byte {
        case 0x22:
            isKey = false
            beginString(capturing: isModel)
        case 0x7b: open(isObject: true)
        case 0x5b: open(isObject: false)
        case 0x2d, 0x30...0x39:
            number = NumberCheck()
            _ = number.take(byte)
            state = .number
        case 0x74, 0x66, 0x6e:
            literal = LiteralCheck(first: byte)
            state = .literal
        default: fail()
        }
    }

    private static func beginsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x7b, 0x5b, 0x2d, 0x30...0x39, 0x74, 0x66, 0x6e: true
        default: false
        }
    }

    private mutating func open(isObject: Bool) {
        guard Int(depth) < JSONModelScanner.depthMax else {
            fail()
            return
        }
        // Only an object at the top can name a model.
        if depth == 0, !isObject {
            answer = .absent
            return
        }
        depth &+= 1
        levels = levels << 1 | (isObject ? 1 : 0)
        state = isObject ? .firstKeyOrEnd : .firstValueOrEnd
    }

    private mutating func close() {
        depth &-= 1
        levels >>= 1
        endValue()
    }

    private mutating func endValue() {
        if depth == 0 { answer = .absent } else { state = .commaOrEnd }
    }
}

// Strings

extension JSONModelScanner {
    private mutating func beginString(capturing: Bool) {
        state = .string
        isCapturing = capturing
        modelCount = 0
        utf8 = UTF8Check()
        hex = HexEscape()
    }

    private mutating func inString(_ byte: UInt8) {
        guard utf8.take(byte), byte >= 0x20 else {
            fail()
            return
        }
        if hex.awaitsLow, byte != 0x5c {
            fail()
            return
        }
        switch byte {
        case 0x22: endString()
        case 0x5c: state = .escape
        default: capture(byte)
        }
    }

    private mutating func endString() {
        if isKey {
            isModelNext = isCapturing && isSpelledModel
            isCapturing = false
            state = .colon
        } else if isCapturing {
            answer = modelCount == 0 ? .absent : .found
        } else {
            endValue()
        }
    }

    private var isSpelledModel: Bool {
        modelCount == 5 && model[0] == 0x6d && model[1] == 0x6f && model[2] == 0x64
            && model[3] == 0x65 && model[4] == 0x6c
    }

    private mutating func inEscape(_ byte: UInt8) {
        if byte == 0x75 {
            hex.begin()
            state = .hex
            return
        }
        guard !hex.awaitsLow, let plain = JSONModelScanner.plain(byte) else {
            fail()
            return
        }
        state = .string
        capture(plain)
    }

    private static func plain(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x22, 0x5c, 0x2f: byte
        case 0x62: 0x08
        case 0x66: 0x0c
        case 0x6e: 0x0a
        case 0x72: 0x0d
        case 0x74: 0x09
        default: nil
        }
    }

    private mutating func inHex(_ byte: UInt8) {
        switch hex.take(byte) {
        case .goesOn: break
        case .wrong: fail()
        case .awaitsLow: state = .string
        case .scalar(let scalar):
            state = .string
            for unit in EncodedScalar(scalar) { capture(unit) }
        }
    }

    private mutating func capture(_ byte: UInt8) {
        guard isCapturing else { return }
        if Int(modelCount) < JSONModelScanner.modelBytesMax {
            model[Int(modelCount)] = byte
            modelCount &+= 1
        } else if isKey {
            // A long key is some other one.
            isCapturing = false
        } else {
            fail()
        }
    }
}
