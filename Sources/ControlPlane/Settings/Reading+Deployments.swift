// `deployments:`: each is laid out as JSON and read by the field table, so that the file and the
// API accept the same and refuse the same. What is wrong is told at its line.

import Deployments
import Notation
import Yams

extension Reading {
    func deployment(_ value: Value) -> DeploymentSpec? {
        guard case .mapping = value.node else {
            value.refuse("\(value.kind) where a map is expected")
            return nil
        }
        do {
            let spec = try SpecReader().read(json(value.node, at: []))
            lookAround(spec, value)
            return spec
        } catch {
            for problem in error.problems { note(problem, of: value) }
            return nil
        }
    }

    /// What a file names must be there when it is read.
    private func lookAround(_ spec: DeploymentSpec, _ value: Value) {
        let program = surroundings.program(spec.command.first ?? "")
        let artifact = spec.artifact.flatMap(surroundings.file)
        let found = [(["command", "0"], program), (["artifact"], artifact)]
        for (parts, complaint) in found {
            guard let complaint else { continue }
            let problem = SpecProblem(
                pointer: JSONPointer(parts), code: .invalid, message: complaint)
            note(problem, of: value)
        }
    }

    func note(_ problem: SpecProblem, of value: Value) {
        let parts = JSONPointer(problem.pointer)?.parts ?? []
        let name = value.child("name")?.node.string ?? value.field
        let field = ([Spelling.isPlain(name) ? "deployments.\(name)" : value.field] + parts)
            .joined(separator: ".")
        value.findings.add(problem.message, field: field, at: node(at: parts, in: value.node))
    }

    /// The node a pointer leads to, or the nearest above it that is there.
    private func node(at parts: [String], in root: Node) -> Node {
        var node = root
        for part in parts {
            switch node {
            case .mapping(let mapping):
                guard let next = mapping.first(where: { $0.key.string == part }) else {
                    return node
                }
                node = next.value
            case .sequence(let sequence):
                guard let index = Int(part), sequence.indices.contains(index) else { return node }
                node = sequence[index]
            case .scalar, .alias: return node
            }
        }
        return node
    }

    /// Plain words are what they look like, unless the field wants text: `version: 2` is "2".
    func json(_ node: Node, at path: [String]) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            .object(
                mapping.map { key, value in
                    let name = key.string ?? ""
                    return JSONValue.Member(name: name, value: json(value, at: path + [name]))
                })
        case .sequence(let sequence):
            .array(
                sequence.enumerated().map { index, element in
                    json(element, at: path + ["\(index)"])
                })
        // The API takes absolute paths only; here they are relative to the file.
        case .scalar(let scalar) where path == ["artifact"] && !scalar.string.isEmpty:
            .string(absolute(scalar.string))
        case .scalar(let scalar):
            scalar.style == .plain ? plain(scalar.string, at: path) : .string(scalar.string)
        case .alias: .null
        }
    }

    private func plain(_ text: String, at path: [String]) -> JSONValue {
        if ["", "~", "null", "Null", "NULL"].contains(text) { return .null }
        if DeploymentFields.wantsText(at: path) { return .string(text) }
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        if let whole = Quantity.natural(digits), !digits.isEmpty {
            return .integer(Int64(isNegative ? -whole : whole))
        }
        if let number = Quantity.decimal(digits) { return .number(isNegative ? -number : number) }
        return .string(text)
    }
}

extension Spelling {
    /// Fit to be part of a field's path in a message.
    fileprivate static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 63
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}
