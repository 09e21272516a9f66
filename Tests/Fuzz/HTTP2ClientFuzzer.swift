// Any bytes from a replica, cut where the first byte says, to a session whose owner asks, stalls,
// resets and lets go meanwhile: no trap, no event of a stream that is gone, every head within what
// the strict parser reads, and bounded memory.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 1, let start else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count)
    var drive = FuzzedSession.client(cut: unsafe max(1, Int(input[0])))
    drive.run(unsafe input.bytes.extracting(droppingFirst: 1))
    drive.end()
    return 0
}

extension FuzzedSession {
    static func client(cut: Int) -> FuzzedSession {
        let loop = HTTP2Loop()
        guard let session = loop.makeClient(HTTP2Options(), owner: 1, now: 0) else {
            preconditionFailure("memory")
        }
        var made = FuzzedSession(
            side: .client, loop: loop, session: session, cut: cut, mostStreams: 256)
        for _ in 0..<4 { made.request() }
        made.produce()
        return made
    }
}
