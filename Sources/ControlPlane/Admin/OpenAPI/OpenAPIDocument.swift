// `/openapi.json`: OpenAPI 3.1, made from the route table, the forms of bodies and the field table.
// Nothing in it is written twice, so it cannot say what the port does not do.

import Notation
import State

struct OpenAPIDocument: Sendable {
    let version: String

    var json: JSONValue {
        .object([
            "openapi": "3.1.0",
            "info": .object([
                "title": "Penstock", "version": .string(version),
                "description": "The admin port of a Penstock gateway.",
            ]),
            "security": .array([.object(["token": .array([])])]),
            "tags": .array(
                tags.map { .object(["name": .string($0)]) }), "paths": paths,
            "components": .object([
                "securitySchemes": .object([
                    "token": .object(["type": "http", "scheme": "bearer"])
                ]), "schemas": .object(AnswerSchemas.all),
            ]),
        ])
    }

    private var tags: [String] {
        AdminRoutes.all.reduce(into: []) { tags, row in
            if !tags.contains(row.tag) { tags.append(row.tag) }
        }
    }

    private var paths: JSONValue {
        var members: [JSONValue.Member] = []
        for row in AdminRoutes.all {
            let operation = JSONValue.Member(
                name: row.method.rawValue.lowercased(), value: operation(row))
            if let index = members.firstIndex(where: { $0.name == row.path.text }) {
                members[index].value = members[index].value.merging(.object([operation]))
            } else {
                members.append(.init(name: row.path.text, value: .object([operation])))
            }
        }
        return .object(members)
    }

    private func operation(_ row: AdminEndpoint) -> JSONValue {
        let parameters =
            row.path.parameters.map(pathParameter) + row.parameters.map(\.json)
        return .object([
            "operationId": .string(row.name), "tags": .texts([row.tag]),
            "summary": .string(row.summary),
            "security": row.access == .open || row.access == .openOnLoopback ? .array([]) : nil,
            "x-penstock-right": .optional(row.access.words),
            "parameters": parameters.isEmpty ? nil : .array(parameters),
            "requestBody": body(row), "responses": responses(row),
        ])
    }

    private func pathParameter(_ name: String) -> JSONValue {
        .object([
            "name": .string(name), "in": "path", "required": true,
            "schema": .object(["type": "string", "minLength": 1]),
        ])
    }

    private func body(_ row: AdminEndpoint) -> JSONValue? {
        let schema: JSONValue
        var isRequired = true
        switch row.body {
        case .none: return nil
        case .schema(let name): schema = Shape.reference(name)
        case .form(let form):
            schema = form.schema
            isRequired = form.fields.contains(where: \.isRequired)
        }
        let type = row.method == .patch ? "application/merge-patch+json" : "application/json"
        return .object([
            "required": .bool(isRequired),
            "content": .object([.init(name: type, value: .object(["schema": schema]))]),
        ])
    }

    private func responses(_ row: AdminEndpoint) -> JSONValue {
        var members = row.answers.sorted { $0.key < $1.key }.map { status, answer in
            JSONValue.Member(name: String(status), value: response(answer))
        }
        for (status, why) in row.refusals where row.answers[status] == nil {
            members.append(.init(name: String(status), value: problem(why)))
        }
        members.append(.init(name: "default", value: problem("Refused, and why.")))
        return .object(members)
    }

    private func response(_ answer: AdminEndpoint.Answer) -> JSONValue {
        let headers = answer.headers.sorted { $0.key < $1.key }.map { name, explanation in
            JSONValue.Member(
                name: name,
                value: .object([
                    "description": .string(explanation), "schema": Shape.text,
                ]))
        }
        let content = answer.schema.map { schema -> JSONValue in
            let type = schema == "Problem" ? "application/problem+json" : answer.mediaType
            let others = answer.alternatives.map { type -> JSONValue.Member in
                let schema = type == "text/event-stream" ? "Event" : "Text"
                return JSONValue.Member(
                    name: type, value: .object(["schema": Shape.reference(schema)]))
            }
            return .object(
                [.init(name: type, value: .object(["schema": Shape.reference(schema)]))] + others)
        }
        return .object([
            "description": .string(answer.explanation),
            "headers": headers.isEmpty ? nil : .object(headers), "content": content,
            "links": answer.links.isEmpty ? nil : links(answer.links),
        ])
    }

    private func links(_ links: [String: [String: String]]) -> JSONValue {
        .object(
            links.sorted { $0.key < $1.key }.map { name, parameters in
                .init(
                    name: name,
                    value: .object([
                        "operationId": .string(name), "parameters": .map(parameters),
                    ]))
            })
    }

    private func problem(_ why: String) -> JSONValue {
        .object([
            "description": .string(why),
            "content": .object([
                "application/problem+json": .object(["schema": Shape.reference("Problem")])
            ]),
        ])
    }
}

extension Parameter {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(name), "in": .string(place.rawValue),
            "required": isRequired ? true : nil, "description": .string(explanation),
            "schema": schema,
        ])
    }
}

extension AdminEndpoint.Access {
    /// `scale deployment`.
    var words: String? {
        guard case .needs(let verb, let resource, _) = self else { return nil }
        return "\(verb.rawValue) \(resource.rawValue)"
    }
}

extension AdminEndpoint {
    /// How it is refused, by status, beside what its answers say.
    fileprivate var refusals: [(Int, String)] {
        var list = [(400, "The request cannot be read.")]
        if access != .open {
            list.append((401, "No token, or one that is not good."))
            list.append((403, "The token may not."))
        }
        list.append((404, "There is nothing of this name."))
        if method != .get {
            list.append((409, "Not in this state, or something else is at work."))
            list.append((412, "It was changed meanwhile."))
            list.append((413, "The body is too large."))
            list.append((415, "The body is no JSON."))
            list.append((422, "The body says something that is not allowed."))
        }
        if isConditional { list.append((428, "`If-Match` is missing.")) }
        list.append((503, "The state cannot be written, or is not there yet."))
        return list
    }
}
