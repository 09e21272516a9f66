// Trailers as a table: field lines and the empty line after them, whichever version of HTTP they
// came by. Those that RFC 9110 6.5.1 keeps out of trailers because they frame, route, authenticate
// or describe the message are flagged as hop-by-hop, so that they go no further.

package enum TrailerFields {
    /// Reads a whole section at the start of `bytes`; nil while it is incomplete.
    /// - Returns: where it ended.
    package static func read(
        _ bytes: RawSpan, from start: Int = 0, into fields: inout FieldTable
    ) throws(WireError) -> Int? {
        fields.removeAll()
        let end = try FieldLines.read(bytes, from: start, into: &fields, limit: Limits.trailers)
        if end != nil { flagForbidden(bytes, fields: &fields) }
        return end
    }

    private static func flagForbidden(_ bytes: RawSpan, fields: inout FieldTable) {
        for index in 0..<fields.count {
            let field = fields[index]
            let isForbidden =
                field.known != .other || bytes.begins(field.name, "content-")
                || bytes.begins(field.name, "if-")
            if isForbidden { fields[index].isHopByHop = true }
        }
    }
}
