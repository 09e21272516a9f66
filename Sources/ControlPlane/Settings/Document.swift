// The bytes of the file turned into a tree of nodes with marks, or into one clear problem. YAML's
// riskier corners are closed: one document, no anchors, no tags, 1000 levels at most (libyaml's).

import Notation
import Yams

enum Document {
    /// The root, or nil with the problem noted.
    static func root(of bytes: [UInt8], findings: Findings) -> Node? {
        parsed(bytes, findings) { parser in
            guard let root = try parser.singleRoot(), !isNull(root) else {
                findings.add(
                    "the file is empty; a small one looks like this:\n\(smallest)", line: 1,
                    column: 1)
                return []
            }
            return [root]
        }.first
    }

    /// Every document of a file, between lines of `---`; none with the problem noted.
    static func roots(of bytes: [UInt8], findings: Findings) -> [Node] {
        parsed(bytes, findings) { parser in
            var roots: [Node] = []
            while let root = try parser.nextRoot() {
                if !isNull(root) { roots.append(root) }
            }
            return roots
        }
    }

    private static func parsed(
        _ bytes: [UInt8], _ findings: Findings, _ read: (Parser) throws -> [Node]
    ) -> [Node] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            findings.add("is not UTF-8 text", line: lineOfFirstBadByte(in: bytes), column: 1)
            return []
        }
        do {
            let parser = try Parser(yaml: text)
            let roots = try read(parser)
            let before = findings.problems.count
            // Nodes hold their anchors weakly; the parser owns them.
            withExtendedLifetime(parser) {
                for root in roots { refuseAnchors(in: root, findings: findings) }
            }
            return findings.problems.count == before ? roots : []
        } catch let error as YamlError {
            note(error, text: text, findings: findings)
        } catch {
            findings.add("\(error)", line: 1, column: 1)
        }
        return []
    }

    static let smallest = """
        services:
          - name: echo
            routes: [{ path: / }]
            revisions: [{ name: stable, endpoints: [127.0.0.1:9001] }]
        """

    private static func isNull(_ root: Node) -> Bool {
        guard case .scalar(let scalar) = root else { return false }
        return scalar.string.isEmpty && scalar.style == .plain
    }

    /// An aliased tree can be exponentially larger than its text, so nothing below an anchor is
    /// looked at.
    private static func refuseAnchors(in node: Node, findings: Findings) {
        let isAnchored =
            switch node {
            case .scalar(let scalar): scalar.anchor != nil
            case .mapping(let mapping): mapping.anchor != nil
            case .sequence(let sequence): sequence.anchor != nil
            case .alias: true
            }
        if isAnchored {
            findings.add(
                "anchors and aliases (&name, *name) are not supported; write the value out",
                field: "", at: node)
            return
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                refuseAnchors(in: key, findings: findings)
                refuseAnchors(in: value, findings: findings)
            }
        case .sequence(let sequence):
            for element in sequence { refuseAnchors(in: element, findings: findings) }
        case .scalar, .alias: break
        }
    }

    private static func note(_ error: YamlError, text: String, findings: Findings) {
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let (line, column) = (mark.line, mark.column)
            if startsWithTab(line: mark.line, of: text) {
                findings.add(
                    "a tab indents this line; YAML takes spaces only", line: line, column: column)
                return
            }
            let around = context.map { " \($0.text)" } ?? ""
            findings.add(
                "not valid YAML: \(problem)\(around)", line: line, column: column)
        case .duplicatedKeysInMapping(let keys, let context):
            findings.add(
                "\(Spelling.quoted(keys.first ?? "")) stands twice in one map",
                line: context.mark.line, column: context.mark.column)
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.utf8.prefix($0).count { $0 == 10 } + 1 } ?? 1
            findings.add("not valid YAML: \(problem)", line: line, column: 1)
        default:
            findings.add("not valid YAML: \(error)", line: 1, column: 1)
        }
    }

    private static func startsWithTab(line: Int, of text: String) -> Bool {
        let lines = text.split(separator: "\n", maxSplits: line, omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count else { return false }
        return lines[line - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t")
    }

    private static func lineOfFirstBadByte(in bytes: [UInt8]) -> Int {
        var line = 1
        for part in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { break }
            line += 1
        }
        return line
    }
}
