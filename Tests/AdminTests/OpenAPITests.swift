// The document is whole, its references lead somewhere, and answers are what it says. Every GET of
// the table is tried, and a change of each sort.

import Admin
import Deployments
import Notation
import Testing

@Suite struct OpenAPITests {
    /// Half a megabyte: read once.
    private static let document = Task {
        try await (try ControlPort()).send("GET", "/openapi.json").json()
    }

    private func document() async throws -> JSONValue { try await Self.document.value }

    private func references(in value: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { member in
                member.name == "$ref"
                    ? [member.value.text ?? ""] : references(in: member.value)
            }
        case .array(let elements): elements.flatMap(references)
        default: []
        }
    }

    @Test func `every reference leads to a schema, and every schema is referred to`() async throws {
        let document = try await document()
        let schemas = Set(
            document[path: ["components", "schemas"]]?.members?.map(\.name) ?? [])
        let used = Set(references(in: document).map { String($0.split(separator: "/").last ?? "") })
        #expect(used.subtracting(schemas) == [])
        #expect(schemas.subtracting(used) == [])
    }

    @Test func `operations have names of their own, and parameters that their paths have`()
        async throws
    {
        var names = Set<String>()
        for path in try await document()["paths"]?.members ?? [] {
            for method in path.value.members ?? [] {
                let name = try #require(method.value["operationId"]?.text)
                #expect(names.insert(name).inserted, "\(name)")
                let told =
                    method.value["parameters"]?.list.filter { $0["in"] == "path" }
                    .compactMap { $0["name"]?.text } ?? []
                let inPath = path.name.split(separator: "{").dropFirst().map {
                    String($0.prefix { $0 != "}" })
                }
                #expect(told == inPath, "\(name)")
                #expect(method.value["summary"]?.text?.hasSuffix(".") == true, "\(name)")
                #expect(method.value["responses"]?["default"] != nil)
                let isWrite = method.name != "get"
                let hasRight = method.value["x-penstock-right"] != nil
                #expect(hasRight || !isWrite || name == "checkRights", "\(name)")
            }
        }
        #expect(names.count > 60)
    }

    @Test func `fields tell what changing them means`() async throws {
        let schemas = try await document()[path: ["components", "schemas"]]
        for name in ["DeploymentCreate", "DeploymentPatch"] {
            let memory = schemas?[path: [name, "properties", "resources", "properties", "memory"]]
            #expect(memory?["x-penstock-edit"] == "restart")
        }
    }

    @Test func `answers are what the document says`() async throws {
        let port = try await ControlPort.withIris()
        await port.control.say(["one"])
        let file = try port.file("m", "x")
        let registered = await port.send(
            "POST", "/v1/models/iris/versions", #"{"version": "v1", "artifact": "\#(file)"}"#)
        #expect(registered.status == 201)
        _ = await port.send("POST", "/v1/deployments/iris:scale", #"{"replicas": 3, "for": "1h"}"#)
        _ = await port.send(
            "PATCH", "/v1/deployments/iris", #"{"env": {"A": "b"}}"#, ["if-match": "*"])
        let document = try await document()
        let checker = SchemaChecker(
            schemas: document[path: ["components", "schemas"]] ?? .null)
        for path in document["paths"]?.members ?? [] {
            guard let get = path.value["get"] else { continue }
            let target = path.name.replacing(
                "{name}", with: path.name.contains("services") ? "echo" : "iris"
            )
            .replacing("{model}", with: "iris").replacing("{version}", with: "v1")
            .replacing("{replica}", with: "iris-0").replacing("{number}", with: "1")
            .replacing("{id}", with: path.name.contains("tokens") ? "none" : "op1")
            let answer = await port.send("GET", target)
            guard answer.stream == nil else { continue }
            let told = get["responses"]?["\(answer.status)"]
            #expect(told != nil, "\(target): \(answer.status)")
            let type = String((answer.headers["content-type"] ?? "").prefix { $0 != ";" })
            let schema = told?["content"]?[type]?["schema"]
            #expect(schema != nil, "\(target): \(answer.status) \(type)")
            guard type.hasSuffix("json"), let schema else { continue }
            let faults = checker.faults(try answer.json(), schema)
            #expect(faults.isEmpty, "\(target): \(faults)")
        }
    }

    @Test(arguments: [
        ("PATCH", "/v1/deployments/iris", #"{"owner": "x"}"#),
        ("PATCH", "/v1/deployments/iris?dryRun=true", #"{"env": {"A": "1"}}"#),
        ("POST", "/v1/deployments/iris:restart", ""),
        ("POST", "/v1/deployments/iris:plan", #"{"env": {"A": "1"}}"#),
        ("POST", "/v1/deployments/iris/replicas/iris-0:drain", ""),
        ("POST", "/v1/tokens", #"{"grants": [{"role": "viewer"}]}"#),
        ("POST", "/v1/authz:check", #"{"checks": [{"verb": "read", "resource": "node"}]}"#),
        ("POST", "/v1/system:backup", ""), ("DELETE", "/v1/deployments/iris", ""),
        ("POST", "/v1/deployments", ControlPort.least), ("POST", "/v1/deployments", "{}"),
        ("POST", "/v1/operations/op1:cancel", ""),
    ])
    func `changes answer what the document says`(
        method: String, target: String, body: String
    ) async throws {
        let port = try await ControlPort.withIris()
        let document = try await document()
        let schemas = document[path: ["components", "schemas"]] ?? .null
        let answer = await port.send(method, target, body, ["if-match": "*"])
        let path = target.prefix { $0 != "?" }.replacing("iris-0", with: "{replica}")
            .replacing("iris", with: "{name}").replacing("op1", with: "{id}")
        let row = document["paths"]?[String(path)]?[method.lowercased()]
        let told = try #require(row?["responses"]?["\(answer.status)"], "\(answer.status)")
        let type = String((answer.headers["content-type"] ?? "").prefix { $0 != ";" })
        let schema = try #require(told["content"]?[type]?["schema"])
        let faults = SchemaChecker(schemas: schemas).faults(try answer.json(), schema)
        #expect(faults.isEmpty, "\(faults)")
    }
}
