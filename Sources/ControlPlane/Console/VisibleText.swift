// The one place that makes text safe for a terminal. Words of replicas, requests and other people
// may hold what moves the cursor, renames the window or turns a line round: all of that is shown as
// an escape instead, such as \u001b. Newlines, tabs and our own colours stay. Pure.

extension String {
    /// Text of others: nothing in it is obeyed.
    package var visible: String { VisibleText.text(self, keepsInk: false) }

    /// The same on one line, for cells of tables and lines that are cut.
    package var visibleLine: String {
        guard utf8.contains(where: { $0 == 9 || $0 == 10 }) else { return visible }
        let words = unicodeScalars.split { $0 == "\n" || $0 == "\t" }.map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        return words.joined(separator: " ").visible
    }
}

package enum VisibleText {
    /// - Parameter keepsInk: it was put together here, and may have been painted.
    package static func text(_ text: String, keepsInk: Bool) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var shown = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if keepsInk, scalar == "\u{1b}", let code = Paint.codes.first(where: rest.starts) {
                shown.append(contentsOf: code)
                rest = rest.dropFirst(code.count)
                continue
            }
            rest = rest.dropFirst()
            if isHidden(scalar) {
                shown.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// Controls of both sets, and what changes the direction of writing.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case ..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// As JSON and YAML write it, so that a document stays one.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
