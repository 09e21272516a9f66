// Copies the fields of a parsed message into the head that is sent on. Kept lines that lie next to
// each other are one copy.

package enum HeadWriter {
    /// Hop-by-hop fields and aliases are never copied, `skipping` names what the caller replaces.
    package static func copyFields(
        _ fields: borrowing FieldTable, of bytes: RawSpan, skipping: FieldMask = .none,
        into head: inout HeadBuffer
    ) {
        var start = 0
        var end = 0
        for index in 0..<fields.count {
            let field = fields[index]
            if field.isHopByHop || field.isAlias || skipping.contains(field.known) { continue }
            if field.line.start != end {
                head.append(bytes, from: start, to: end)
                start = field.line.start
            }
            end = field.line.end
        }
        head.append(bytes, from: start, to: end)
    }
}
