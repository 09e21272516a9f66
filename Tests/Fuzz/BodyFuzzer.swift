// Any bytes as a chunked body, cut where the first two bytes say: no trap, and the payload, how it
// ends and what is left over are the same as in one piece, with the framing kept or not.

struct Digest: Equatable {
    var payload: UInt64 = 14_695_981_039_346_656_037
    var payloadCount = 0
    /// 0 waits, 1 ended, more is a refusal.
    var outcome = 0
    var consumed = 0

    mutating func add(_ bytes: RawSpan, _ slice: Slice) {
        for index in slice.start..<slice.end {
            payload = (payload ^ UInt64(bytes.byte(index))) &* 1_099_511_628_211
        }
        payloadCount += Int(slice.count)
    }
}

/// Shows `bytes` to a decoder up to each of the ends, one after the other.
func decode(_ bytes: RawSpan, ends: [Int], keepsFraming: Bool) -> Digest {
    var decoder = BodyDecoder(framing: .chunked, keepsFraming: keepsFraming)
    var fields = FieldTable(capacity: 64)
    var digest = Digest()
    var offset = 0
    do throws(WireError) {
        for end in ends {
            let shown = bytes.extracting(first: end)
            while digest.outcome == 0 {
                let event = try decoder.next(shown, from: &offset, fields: &fields)
                if event == .needMore { break }
                apply(event, shown, &digest)
            }
        }
    } catch {
        digest.outcome = 2 + Int(error.rawValue)
    }
    if digest.outcome == 1 { digest.consumed = offset }
    return digest
}

func apply(_ event: BodyEvent, _ bytes: RawSpan, _ digest: inout Digest) {
    switch event {
    case .data(let slice): digest.add(bytes, slice)
    case .framed(let slice, let payload):
        precondition(slice.end <= bytes.byteCount, "a slice of the bytes")
        precondition(payload <= Int(slice.count), "no more payload than bytes")
        digest.payloadCount += payload
    case .end: digest.outcome = 1
    case .needMore, .chunkHeader: break
    }
}

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
    guard count > 2 else { return 0 }
    let bytes = input.extracting(droppingFirst: 2)
    let size = bytes.byteCount
    let cuts = [Int(input.byte(0)) % (size + 1), Int(input.byte(1)) % (size + 1)].sorted()
    let whole = decode(bytes, ends: [size], keepsFraming: false)
    precondition(decode(bytes, ends: cuts + [size], keepsFraming: false) == whole, "cut anywhere")
    let kept = decode(bytes, ends: cuts + [size], keepsFraming: true)
    precondition(kept.outcome == whole.outcome, "the same end with the framing kept")
    precondition(kept.consumed == whole.consumed, "the same rest with the framing kept")
    precondition(kept.payloadCount == whole.payloadCount, "the same payload in the framing")
    return 0
}
