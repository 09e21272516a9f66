// What `Connection` says (RFC 9110 7.6.1): close, keep-alive, upgrade, and which further fields are
// meant for this connection only. A peer may not use it to strip what we or the receiver rely on:
// nominating a known end-to-end name has no effect.

struct ConnectionOptions {
    private(set) var closes = false
    private(set) var keepsAlive = false
    private(set) var upgrades = false
    private var count = 0

    /// Reads every Connection field of the table, and flags the fields they nominate.
    init(_ bytes: RawSpan, fields: inout FieldTable) throws(WireError) {
        let first = fields.first(.connection)
        guard first >= 0 else { return }
        if !fields.repeated.contains(.connection), readSingle(bytes, fields[first].value) { return }
        for index in first..<fields.count where fields[index].known == .connection {
            try read(bytes, fields[index].value, fields: &fields)
        }
    }

    /// What nearly every peer sends.
    private mutating func readSingle(_ bytes: RawSpan, _ value: Slice) -> Bool {
        if bytes.equals(value, "keep-alive") {
            keepsAlive = true
        } else if bytes.equals(value, "close") {
            closes = true
        } else {
            return false
        }
        return true
    }

    private mutating func read(
        _ bytes: RawSpan, _ value: Slice, fields: inout FieldTable
    ) throws(WireError) {
        var position = value.start
        while position < value.end {
            let byte = bytes.byte(position)
            if byte == 0x2C || ByteClass.isSpace(byte) {
                position &+= 1
                continue
            }
            let start = position
            while position < value.end, ByteClass.isToken(bytes.byte(position)) { position &+= 1 }
            guard position > start else { throw .badConnection }
            let token = Slice(from: start, to: position)
            while position < value.end, ByteClass.isSpace(bytes.byte(position)) { position &+= 1 }
            guard position == value.end || bytes.byte(position) == 0x2C
            else { throw .badConnection }
            count &+= 1
            guard count <= Limits.connectionOptions else { throw .badConnection }
            take(bytes, token, fields: &fields)
        }
    }

    private mutating func take(_ bytes: RawSpan, _ token: Slice, fields: inout FieldTable) {
        if bytes.equals(token, "keep-alive") {
            keepsAlive = true
        } else if bytes.equals(token, "close") {
            closes = true
        } else if bytes.equals(token, "upgrade") {
            upgrades = true
        } else {
            nominate(bytes, token, fields: &fields)
        }
    }

    private func nominate(_ bytes: RawSpan, _ token: Slice, fields: inout FieldTable) {
        for index in 0..<fields.count where fields[index].known == .other {
            if bytes.sameToken(fields[index].name, token) { fields[index].isHopByHop = true }
        }
    }
}
