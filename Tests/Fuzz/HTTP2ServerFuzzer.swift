// Any bytes from a client after the preface, as they are or as recipes for well-formed frames, cut
// where the first byte says, to a session whose owner answers, stalls, resets and lets go as the
// bytes have it: no trap, no event of a stream that is gone, every head within what the strict
// parser reads, and bounded memory.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 1, let start else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count)
    var drive = FuzzedSession.server(cut: unsafe max(1, Int(input[0])))
    let rest = unsafe input.bytes.extracting(droppingFirst: 1)
    if unsafe input[0] >= 0x80 {
        let frames = FrameRecipes.frames(rest)
        drive.run(unsafe frames.span.bytes)
    } else {
        drive.run(rest)
    }
    drive.end()
    return 0
}

/// Three bytes make a frame: what, on which stream, and how much. So the framing is no obstacle.
enum FrameRecipes {
    static func frames(_ recipes: RawSpan) -> [UInt8] {
        var frames: [UInt8] = []
        var last: UInt8 = 1
        for index in stride(from: 0, to: min(recipes.byteCount, 600) - 2, by: 3) {
            let what = recipes.byte(index)
            let place = recipes.byte(index + 1)
            let much = recipes.byte(index + 2)
            let isNew = what & 0x80 != 0
            if isNew, last < 250 { last += 2 }
            let stream = isNew ? last : last &- (place & 7) * 2 | 1
            frames += frame(what & 15, stream, much)
        }
        return frames
    }

    static func frame(_ what: UInt8, _ stream: UInt8, _ much: UInt8) -> [UInt8] {
        let number = [0, 0, much, much & 1 == 0 ? much : 0]
        let ends = much & 1
        switch what {
        case 0, 1: return make(1, 4 | ends, stream, request(much))
        case 2: return make(1, ends, stream, request(much)) + make(9, 4, stream, field(much))
        case 3, 4: return make(0, ends, stream, Array(repeating: 0x61, count: Int(much) * 60))
        case 5: return make(0, 8 | ends, stream, [much % 9] + Array(repeating: 0, count: 9))
        case 6: return make(1, 5, stream, field(much) + field(much &+ 1))
        case 7: return make(3, 0, stream, number)
        case 8: return make(4, 0, 0, [0, much % 10] + number)
        case 9: return make(6, much & 1, 0, Array(repeating: much, count: 8))
        case 10: return make(8, 0, stream, number)
        case 11: return make(8, 0, 0, number)
        case 12: return make(16, 0, 0, [0, 0, 0, stream] + Array("u=1, i".utf8))
        case 13: return make(2, 0, stream, number + [much])
        case 14: return make(7, 0, 0, number + number)
        default: return make(much, 0, stream, [much])
        }
    }

    static func make(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8]
    {
        let length = [0, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        return length + [type, flags, 0, 0, 0, stream] + payload
    }

    static func request(_ much: UInt8) -> [UInt8] {
        let method: UInt8 = much & 2 == 0 ? 0x82 : 0x83
        return [method, 0x86, 0x84, 0x41, 1, 0x61] + field(much) + field(much >> 3)
    }

    static func field(_ much: UInt8) -> [UInt8] {
        switch much % 8 {
        case 0:
            [0x40, 1, 0x78] + [UInt8(much >> 1)] + Array(repeating: 0x79, count: Int(much >> 1))
        case 1: [0x80 | 62]
        case 2: [0x60, 3, 0x61, 0x3D, much]
        case 3: [0x0F, 0x0D, 1, 0x30 | much & 15]
        case 4: [0x80 | 63, 0x80 | 62]
        case 5: [0x00, 4, 0x68, 0x6F, 0x73, 0x74, 1, 0x61]
        case 6: [0x20 | much >> 4]
        default: [0x80 | much >> 2]
        }
    }
}

extension FuzzedSession {
    static func server(cut: Int) -> FuzzedSession {
        let loop = HTTP2Loop()
        var options = HTTP2Options()
        options.headBytes = 4_096
        options.streams = 8
        options.allowsUpgrades = cut & 1 == 1
        guard let session = loop.makeServer(options, owner: 1, now: 0) else {
            preconditionFailure("memory")
        }
        let hello = unsafe bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        precondition(unsafe session.receive(hello.bytes, now: 0) == hello.count, "a hello is taken")
        precondition(session.fault == nil, "a hello is no fault")
        return FuzzedSession(
            side: .server, loop: loop, session: session, cut: cut, mostStreams: options.streams)
    }
}
