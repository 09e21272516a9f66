// RFC 6901: the name of one place in a document. Errors carry them, so that a form can mark the
// field and a program can find it.

package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    package var parts: [String]

    package init(_ parts: [String] = []) {
        self.parts = parts
    }

    /// Nil when the text is no pointer: it is empty, or begins with '/'.
    package init?(_ text: String) {
        guard !text.isEmpty else {
            parts = []
            return
        }
        guard text.hasPrefix("/") else { return nil }
        parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
    }

    package func child(_ name: String) -> JSONPointer { JSONPointer(parts + [name]) }

    package func child(_ index: Int) -> JSONPointer { child(String(index)) }

    package var description: String {
        parts.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }
}
