// `field=value` as people type it, made into a document or a merge patch. Which kind of value a
// text is, the field's schema says; what it may be, the server says.

import Deployments
package import Notation

package struct FieldEdit: Sendable, Equatable {
    package enum Fault: Error, Equatable {
        case noEqualsSign(String)
        case unknown(String, nearest: String?)
        case notYet(String)
        case notKeyValue(field: String, text: String)
    }

    /// Canonical, with the key of a map behind it: `["env", "LOG_LEVEL"]`.
    package var path: [String]
    package var value: JSONValue
    /// Beside what the same command has said already: `--arg a --arg b`.
    package var isAddition = false

    /// - Parameter text: `resources.cpu=2`, `env.LOG_LEVEL=info`, `env=LOG_LEVEL=info`.
    package init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw .noEqualsSign(text) }
        try self.init(path: Self.path(String(parts[0])), text: String(parts[1]))
    }

    /// Takes a value back to its default, or a key out of a map.
    package static func removal(_ name: String) throws(Fault) -> FieldEdit {
        FieldEdit(path: try path(name), value: .null)
    }

    private init(path: [String], value: JSONValue) {
        self.path = path
        self.value = value
    }

    private init(path: [String], text: String) throws(Fault) {
        self.path = path
        let canonical = path.prefix(2).joined(separator: ".")
        let field =
            DeploymentFields.field(named: canonical) ?? DeploymentFields.field(named: path[0])
        guard let field else {
            value = Self.plain(text)
            return
        }
        let rest = path.dropFirst(field.path.count)
        let schema = field.schema
        switch schema["type"]?.text {
        case "object" where rest.isEmpty && !text.hasPrefix("{"):
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw .notKeyValue(field: field.name, text: text)
            }
            self.path.append(String(parts[0]))
            value = .string(String(parts[1]))
        case "object" where rest.isEmpty: value = Self.document(text) ?? .string(text)
        case "object": value = .string(text)
        case "array":
            isAddition = !text.hasPrefix("[") && field.name != "command"
            value = Self.list(text, field)
        case "string": value = .string(text)
        default: value = Self.plain(text)
        }
    }

    /// `["a", "b"]`, or `a b` by words as a shell has them, or one element.
    private static func list(_ text: String, _ field: Field) -> JSONValue {
        if text.hasPrefix("["), let value = document(text) { return value }
        return .texts(field.name == "command" ? words(text) : [text])
    }

    private static func document(_ text: String) -> JSONValue? {
        // No JSON: it is taken as it stands, and the server says what is wrong with it.
        try? JSONReader.read(Array(text.utf8))
    }

    private static func plain(_ text: String) -> JSONValue {
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default: break
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        if let whole = Quantity.natural(digits), !digits.isEmpty {
            return .integer(Int64(text.hasPrefix("-") ? -whole : whole))
        }
        if let number = Quantity.decimal(digits) {
            return .number(text.hasPrefix("-") ? -number : number)
        }
        return .string(text)
    }

    /// Words between spaces; quotes and backslashes as in a shell.
    package static func words(_ text: String) -> [String] {
        var (words, word) = ([String](), "")
        var (quote, isEscaped, isOpen) = (Character?.none, false, false)
        for letter in text {
            if isEscaped {
                word.append(letter)
                isEscaped = false
            } else if letter == "\\", quote != "'" {
                (isEscaped, isOpen) = (true, true)
            } else if let open = quote {
                if letter == open { quote = nil } else { word.append(letter) }
            } else if letter == "'" || letter == "\"" {
                (quote, isOpen) = (letter, true)
            } else if letter == " " {
                if isOpen { words.append(word) }
                (word, isOpen) = ("", false)
            } else {
                word.append(letter)
                isOpen = true
            }
        }
        return isOpen ? words + [word] : words
    }

    /// The canonical path of a name as typed: `memory`, `resources.memory`, `env.LOG_LEVEL`.
    private static func path(_ name: String) throws(Fault) -> [String] {
        if name == FieldFlags.replicas { return [name] }
        let first = String(name.prefix { $0 != "." })
        let synonym = FieldFlags.synonyms[first].flatMap { synonym in
            // `strategy` alone is its type; `strategy.steps` is what it says.
            first == name || !synonym.contains(".") ? synonym : nil
        }
        let known = (synonym ?? first) + name.dropFirst(first.count)
        let parts = known.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        for count in stride(from: min(2, parts.count), through: 1, by: -1) {
            let head = parts.prefix(count).joined(separator: ".").replacing("-", with: "_")
            guard let path = DeploymentFields.path(named: head) else { continue }
            let rest = parts.dropFirst(count).joined(separator: ".")
            if rest.isEmpty { return path }
            let field = DeploymentFields.field(named: path.joined(separator: "."))
            if field?.schema["type"]?.text == "object" { return path + [rest] }
        }
        if DeploymentFields.isReserved(known) { throw .notYet(name) }
        throw .unknown(name, nearest: nearest(to: name))
    }

    private static func nearest(to name: String) -> String? {
        let plain = name.replacing("-", with: "_")
        let names = DeploymentFields.all.flatMap { [$0.name, $0.path[$0.path.count - 1]] }
        let found = Spelling.nearest(to: plain, among: names)
        return found.map { DeploymentFields.path(named: $0)?.joined(separator: ".") ?? $0 }
    }
}

extension FieldEdit {
    /// All of them in one object; of two that say the same the last one counts.
    package static func document(_ edits: [FieldEdit]) -> JSONValue {
        edits.reduce(.object([JSONValue.Member]())) { document, edit in
            var value = edit.value
            if edit.isAddition, case .array(let more) = value,
                case .array(let given)? = document[path: edit.path]
            {
                value = .array(given + more)
            }
            return document.setting(path: edit.path, to: value)
        }
    }
}

extension DeploymentFields {
    /// By a field's name, another name of it, or its last part where only one field ends so. A name
    /// with a unit of its own (`memory_gb`) stays, for the server to convert.
    static func path(named name: String) -> [String]? {
        if let field = field(named: name) { return field.path }
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let group = name == last ? nil : String(name.dropLast(last.count + 1))
        let found = all.filter { field in
            (group == nil || field.path[0] == group)
                && (field.path.last == last || field.aliases.contains { $0.name == last })
        }
        guard found.count == 1, let field = found.first else { return nil }
        let isScaled = field.aliases.contains { $0.name == last && $0.scale != nil }
        return isScaled ? field.path.dropLast() + [last] : field.path
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension FieldEdit.Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noEqualsSign(let text):
            return
                "\(Spelling.quoted(text)) is no setting; write FIELD=VALUE, such as resources.cpu=2"
        case .unknown(let name, let nearest):
            let hint = nearest.map { "did you mean '\($0)'?" } ?? "penstock explain lists them"
            return "there is no field \(Spelling.quoted(name)); \(hint)"
        case .notYet(let name):
            return "\(Spelling.quoted(name)) is not supported yet"
        case .notKeyValue(let field, let text):
            return "\(Spelling.quoted(text)) is no entry of '\(field)'; write KEY=VALUE"
        }
    }
}
