// The forms of a request target (RFC 9112 3.2): origin-form, absolute-form for http and https, and
// `*` for OPTIONS. Authority-form belongs to CONNECT, which is refused before.

enum RequestTarget {
    @inline(__always)
    static func read(_ bytes: RawSpan, into head: inout RequestHead) throws(WireError) {
        if bytes.byte(head.target.start) == 0x2F {
            split(bytes, head.target, into: &head)
        } else {
            try readOtherForm(bytes, into: &head)
        }
    }

    @inline(never)
    private static func readOtherForm(
        _ bytes: RawSpan, into head: inout RequestHead
    ) throws(WireError) {
        let target = head.target
        if target.count == 1, bytes.byte(target.start) == 0x2A, head.method == .options {
            head.path = target
            return
        }
        let scheme = bytes.begins(target, "http://") ? 7 : bytes.begins(target, "https://") ? 8 : 0
        guard scheme > 0 else { throw .badTarget }
        let start = target.start &+ scheme
        var end = start
        while end < target.end, bytes.byte(end) != 0x2F, bytes.byte(end) != 0x3F { end &+= 1 }
        head.host = Slice(from: start, to: end)
        guard HostName.isValid(bytes, head.host) else { throw .badTarget }
        head.isAbsoluteForm = true
        split(bytes, Slice(from: end, to: target.end), into: &head)
    }

    @inline(__always)
    private static func split(_ bytes: RawSpan, _ text: Slice, into head: inout RequestHead) {
        guard let mark = bytes.firstIndex(of: 0x3F, in: text) else {
            head.path = text
            return
        }
        head.path = Slice(from: text.start, to: mark)
        head.query = Slice(from: mark &+ 1, to: text.end)
        head.hasQuery = true
    }
}
