// Bad input, field by field: the wrong type, the out of range, the unknown, the huge, the missing.
// Each refusal names its place, and nothing of the document is taken.

import Deployments
import Notation
import Testing

/// A field, a value it must refuse, and the code of the refusal.
struct BadValue: CustomTestStringConvertible {
    let field: String
    let value: String
    let code: SpecProblem.Code

    init(_ field: String, _ value: String, _ code: SpecProblem.Code) {
        self.field = field
        self.value = value
        self.code = code
    }

    var testDescription: String { "\(field): \(value.prefix(40)) \(code.rawValue)" }

    static func huge(_ count: Int) -> String { "\"" + String(repeating: "x", count: count) + "\"" }

    static func list(_ count: Int, of element: String) -> String {
        "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
    }

    static func map(_ count: Int) -> String {
        "{" + (0..<count).map { "\"K\($0)\": \"v\"" }.joined(separator: ",") + "}"
    }

    static let identity: [BadValue] = [
        .init("name", #""""#, .invalid), .init("name", #""Iris""#, .invalid),
        .init("name", #""-a""#, .invalid), .init("name", #""a-""#, .invalid),
        .init("name", #""a_b""#, .invalid), .init("name", #""a/b""#, .invalid),
        .init("name", huge(64), .tooLong), .init("description", huge(4097), .tooLong),
        .init("description", #""a\u0000b""#, .invalid), .init("labels", map(65), .tooMany),
        .init("labels", #"{"a b": "x"}"#, .invalid), .init("labels", #"{"a": 1}"#, .wrongType),
        .init("labels", "{\"a\": \(huge(257))}", .tooLong), .init("owner", huge(257), .tooLong),
        .init("owner", #""a\nb""#, .invalid), .init("model", #"".a""#, .invalid),
        .init("model", #""a/b""#, .invalid), .init("model", huge(129), .tooLong),
        .init("version", #""v 1""#, .invalid), .init("version", huge(129), .tooLong),
        .init("artifact", #""""#, .invalid), .init("artifact", huge(5000), .tooLong),
        .init("artifact", #""models/a""#, .invalid), .init("environment", #""prod""#, .invalid),
        .init("environment", huge(100_000), .invalid),
    ]

    static let process: [BadValue] = [
        .init("command", "[]", .outOfRange), .init("command", #"["x"]"#, .invalid),
        .init("command", #"["", "{address}"]"#, .invalid), .init("command", #"[1]"#, .wrongType),
        .init("command", list(257, of: #""{address}""#), .tooMany),
        .init("command", "[\(huge(16_385))]", .tooLong),
        .init("args", list(257, of: #""a""#), .tooMany), .init("args", #"["a\u0000"]"#, .invalid),
        .init("env", map(257), .tooMany), .init("env", #"{"A B": "1"}"#, .invalid),
        .init("env", #"{"1A": "1"}"#, .invalid), .init("env", #"{"A": 1}"#, .wrongType),
        .init("env", #"{"A": null}"#, .wrongType), .init("env", #"{"PENSTOCK_X": "1"}"#, .invalid),
        .init("env", "{\"A\": \(huge(16_385))}", .tooLong),
        .init("secrets", #"{"A": "no spaces#1"}"#, .invalid),
        .init("secrets", #"{"A": "a#b#c"}"#, .invalid), .init("secrets", map(257), .tooMany),
        .init("secrets", #"{"PENSTOCK_X": "a"}"#, .invalid),
        .init("configs", list(17, of: #""a""#), .tooMany), .init("configs", #"["a b"]"#, .invalid),
        .init("concurrency", "0", .outOfRange), .init("concurrency", "100001", .outOfRange),
    ]

    static let resources: [BadValue] = [
        .init("instance_type", #""cpu.huge""#, .invalid),
        .init("instance_type", #""a b""#, .invalid),
        .init("resources.cpu", "0", .outOfRange), .init("resources.cpu", "-1", .outOfRange),
        .init("resources.cpu", "1025", .outOfRange), .init("resources.cpu", "0.0105", .outOfRange),
        .init("resources.cpu", "1e300", .outOfRange),
        .init("resources.memory", "0", .outOfRange), .init("resources.memory", "-5", .outOfRange),
        .init("resources.memory", #""512XB""#, .invalid),
        .init("resources.memory", "1.5", .outOfRange),
        .init("resources.memory", #""65TiB""#, .outOfRange),
        .init("resources.memory", "9223372036854775807", .outOfRange),
        .init("resources.gpu", "-1", .outOfRange), .init("resources.gpu", "65", .outOfRange),
        .init("resources.gpu", "0.5", .outOfRange), .init("resources.gpu_type", #""""#, .invalid),
        .init("resources.gpu_type", huge(65), .tooLong),
        .init("resources.storage", #""1 PB""#, .invalid),
        .init("resources.storage", "1", .outOfRange),
        .init("resources.bandwidth_mbps", "0", .outOfRange),
        .init("resources.bandwidth_mbps", "1000001", .outOfRange),
    ]

    static let scaling: [BadValue] = [
        .init("scaling_config.min_replicas", "-1", .outOfRange),
        .init("scaling_config.min_replicas", "257", .outOfRange),
        .init("scaling_config.min_replicas", "1.5", .outOfRange),
        .init("scaling_config.max_replicas", "0", .outOfRange),
        .init("scaling_config.max_replicas", "1e99", .outOfRange),
        .init("scaling_config.target_cpu_utilization", "0", .outOfRange),
        .init("scaling_config.target_cpu_utilization", "101", .outOfRange),
        .init("scaling_config.target_memory_utilization", "101", .outOfRange),
        .init("scaling_config.target_gpu_utilization", "0", .outOfRange),
        .init("scaling_config.cooldown_period", "-1", .outOfRange),
        .init("scaling_config.cooldown_period", "86401", .outOfRange),
        .init("scaling_config.cooldown_period", #""5 minutes""#, .invalid),
        .init("scaling_config.cooldown_period", "1e308", .outOfRange),
    ]

    static let balancing: [BadValue] = [
        .init("load_balancer.algorithm", #""round""#, .invalid),
        .init("load_balancer.health_check_path", #""health""#, .invalid),
        .init("load_balancer.health_check_path", #""/a b""#, .invalid),
        .init("load_balancer.health_check_path", #""/é""#, .invalid),
        .init("load_balancer.health_check_path", #""http://host""#, .invalid),
        .init("load_balancer.health_check_path", huge(4096), .tooLong),
        .init("load_balancer.health_check_interval", "0", .outOfRange),
        .init("load_balancer.health_check_interval", "3601", .outOfRange),
        .init("load_balancer.health_check_timeout", "0", .outOfRange),
        .init("load_balancer.healthy_threshold", "0", .outOfRange),
        .init("load_balancer.unhealthy_threshold", "101", .outOfRange),
    ]

    static let strategy: [BadValue] = [
        .init("strategy.type", #""recreate""#, .invalid),
        .init("strategy.type", #""blue_green""#, .notSupported),
        .init("strategy.max_surge", "-1", .outOfRange), .init("strategy.max_surge", "0", .conflict),
        .init("strategy.max_surge", #""101%""#, .outOfRange),
        .init("strategy.max_surge", #""half""#, .outOfRange),
        .init("strategy.max_unavailable", "257", .outOfRange),
        .init("strategy.min_healthy_seconds", "3601", .outOfRange),
        .init("strategy.progress_deadline_seconds", "0", .outOfRange),
    ]

    static let rest: [BadValue] = [
        .init("lifecycle.drain_seconds", "3601", .outOfRange),
        .init("lifecycle.grace_seconds", "601", .outOfRange),
        .init("lifecycle.start_deadline_seconds", "0", .outOfRange),
        .init("lifecycle.smoke_paths", #"["a"]"#, .invalid),
        .init("lifecycle.smoke_paths", list(17, of: #""/a""#), .tooMany),
        .init("slo.error_rate", "1.1", .outOfRange),
        .init("slo.error_rate", #""101%""#, .outOfRange),
        .init("slo.error_rate", "0.0005", .outOfRange),
        .init("slo.latency_p95_ms", "0", .outOfRange),
        .init("slo.latency_p95_ms", #""fast""#, .invalid),
        .init("monitoring_override_reason", #""""#, .invalid),
        .init("monitoring_override_reason", huge(1001), .tooLong),
    ]

    static let all = identity + process + resources + scaling + balancing + strategy + rest
}

@Suite struct SpecRefusalTests {
    /// Which kinds of JSON a field takes, as the schema says.
    private func accepts(_ field: Field, _ value: JSONValue) -> Bool {
        let kinds = (field.schema["anyOf"]?.list ?? [field.schema]).compactMap { $0["type"]?.text }
        switch value {
        case .bool: return kinds.contains("boolean")
        case .integer, .number: return kinds.contains("integer") || kinds.contains("number")
        case .string: return kinds.contains("string")
        case .array: return kinds.contains("array")
        case .object: return kinds.contains("object")
        case .null: return false
        }
    }

    @Test(arguments: DeploymentFields.all.map(\.name))
    func `a field refuses every other type, and says where`(name: String) throws {
        let field = try #require(DeploymentFields.field(named: name))
        let values: [JSONValue] = [true, 7, "x", .array([]), .object(["a": 1]), .null]
        for value in values where !accepts(field, value) {
            var document = try Specs.json(Specs.least)
            document = document.setting(path: field.path, to: value)
            let error = #expect(throws: SpecProblems.self, "\(value.compact)") {
                try SpecReader().read(document)
            }
            let found = try #require(
                error?.problems.first { $0.pointer == field.pointer.description })
            #expect(found.code == .wrongType && !found.message.isEmpty)
        }
    }

    @Test(arguments: BadValue.all)
    func `a bad value is refused at its place`(bad: BadValue) throws {
        let field = try #require(DeploymentFields.field(named: bad.field))
        var document = try Specs.json(Specs.least)
        document = document.setting(path: field.path, to: try Specs.json(bad.value))
        let error = #expect(throws: SpecProblems.self) { try SpecReader().read(document) }
        let near = error?.problems.filter { $0.pointer.hasPrefix(field.pointer.description) } ?? []
        #expect(near.contains { $0.code == bad.code }, "\(error?.description ?? "accepted")")
        #expect(near.allSatisfy { $0.message.utf8.count < 600 })
    }

    @Test func `every field that can be out of range has been tried`() {
        let tried = Set(BadValue.all.map(\.field))
        let untried = DeploymentFields.all.filter { field in
            field.schema["type"]?.text != "boolean" && !tried.contains(field.name)
        }
        #expect(untried.map(\.name) == [])
    }

    @Test func `each required field is missed by name`() throws {
        for field in DeploymentFields.all where field.isRequired {
            let document = try Specs.json(Specs.least).setting(path: field.path, to: nil)
            let error = #expect(throws: SpecProblems.self) { try SpecReader().read(document) }
            #expect(error?.problems.map(\.pointer) == [field.pointer.description], "\(field.name)")
            #expect(error?.problems.map(\.code) == [.missing])
        }
        #expect(
            try Specs.message(#"{"resources": null}"#).contains("or choose an 'instance_type'"))
    }

    @Test(arguments: [
        (#"{"scaling_config": {"min_replicsa": 1}}"#, "did you mean 'min_replicas'?"),
        (#"{"enviroment": "staging"}"#, "did you mean 'environment'?"),
        (#"{"min_replicas": 2}"#, "did you mean 'scaling_config.min_replicas'?"),
        (#"{"memory_gb": 2}"#, "did you mean 'resources.memory'?"),
        (#"{"zzz": 2}"#, "allowed: name, description"),
        (#"{"resources": {"zzz": 2}}"#, "allowed: cpu, memory"),
        (#"{"retry": {}}"#, "'retry' is not supported yet"),
        (#"{"status": {}}"#, "'status' cannot be set"),
        (#"{"spec": {}}"#, "write its fields at the top"),
        (#"{"replicas": 2, "scaling_config": {}}"#, "write one of them"),
        (#"{"resources": 5}"#, "a number where an object is expected"),
        (#"{"model_id": "x"}"#, "says the same as '/model'; write one of them"),
        (
            #"{"loadBalancer": {"enabled": true}, "load_balancer": {"enabled": true}}"#,
            "write one of them"
        ),
        (#"{"scaling_config": {"min_replicas": 3, "max_replicas": 2}}"#, "above max_replicas, 2"),
        (#"{"env": {"A": "1"}, "secrets": {"A": "a"}}"#, "stands in 'env', too"),
        (#"{"environment": "production", "enable_monitoring": false}"#, "production is monitored"),
        (#"{"strategy": "Canary"}"#, "'Canary' is not supported yet; allowed: rolling"),
        (#"{"strategy": {"type": "blue-green"}}"#, "/strategy/type: 'blue-green' is not supp"),
        (#"{"strategy": {"steps": [1, 100]}}"#, "/strategy/steps: 'steps' is not supported yet"),
        (#"{"strategy": {"guardSeconds": 9}}"#, "'guardSeconds' is not supported yet"),
        (#"{"instance_type": "cpu.hgue", "resources": null}"#, "there is no instance type"),
    ])
    func `what is wrong is told with what is right`(patch: String, message: String) throws {
        let told = try Specs.message(patch)
        #expect(told.contains(message), "\(told)")
    }

    @Test func `arguments and variables together have a limit`() throws {
        let value = String(repeating: "x", count: 16_000)
        let variables = (0..<80).map { "\"V\($0)\": \"\(value)\"" }.joined(separator: ",")
        #expect(try Specs.refused("{\"env\": {\(variables)}}") == ["/env TOO_LONG"])
    }

    @Test func `all problems are told at once, up to a screenful`() throws {
        let refused = try Specs.refused(
            #"{"name": "A", "model": 1, "scaling_config": {"max_replicas": 0}, "x": 1}"#)
        #expect(
            Set(refused) == [
                "/name INVALID_VALUE", "/model WRONG_TYPE",
                "/scaling_config/max_replicas OUT_OF_RANGE",
                "/x UNKNOWN_FIELD",
            ])
        let many = (0..<1000).map { "\"x\($0)\": 1" }.joined(separator: ",")
        #expect(try Specs.refused("{\(many)}").count == 100)
    }

    @Test(arguments: ["[]", "5", "null", "\"x\""])
    func `only an object is a deployment`(text: String) {
        #expect(throws: SpecProblems.self) { try Specs.read(text) }
    }
}
