// What a wrong file is told: one row for each key and each way of being wrong. A row holds the
// part of the message that names the cause.

import Settings
import Testing

/// A text, and what one of its complaints must contain.
struct Refusal: Sendable, CustomTestStringConvertible {
    var text: String
    var says: String

    init(_ text: String, _ says: String) {
        self.text = text
        self.says = says
    }

    var testDescription: String { "\(text.suffix(60)) → \(says)" }
}

struct RefusalTests {
    @Test(arguments: [
        Refusal("", "the file is empty; a small one looks like this"),
        Refusal("# only a comment\n", "the file is empty"),
        Refusal("hello", "'hello' where a map is expected"),
        Refusal("- a", "a list where a map is expected"),
        Refusal("a: &x 1\nb: *x", "1:4: anchors and aliases"),
        Refusal("log:\n\tlevel: info", "2:1: a tab indents this line"),
        Refusal("log: {}\n---\nlog: {}", "another document"),
        Refusal("log: {}\nlog: {}", "'log' stands twice"),
        Refusal("replicas_on_exit: stop\nreplicasOnExit: stop", "stands twice"),
        Refusal("log: {", "not valid YAML"),
        Refusal("? [a, b]\n: 1", "a key must be a word"),
        Refusal(String(repeating: "[", count: 5000), "Maximum nesting level"),
        Refusal("servces: []", "1:1: unknown key 'servces'; did you mean 'services'?"),
        Refusal("zzzzzzzz: 1", "unknown key 'zzzzzzzz'; allowed: gateway, admin"),
        Refusal(String(repeating: "k", count: 1000) + ": 1", "unknown key 'kkkk"),
        Refusal("services:", "services: has no value"),
    ])
    func `a file that is no configuration is refused`(row: Refusal) {
        expect(row)
    }

    @Test func `bytes that are no UTF-8 are refused with their line`() {
        #expect(throws: SettingsError.self) {
            try ConfigurationFile.parse(
                [0x61, 0x3a, 0x0a, 0xff, 0xfe], file: "a", workers: 1, directory: "/")
        }
    }

    @Test func `a file larger than four megabytes is refused`() {
        #expect(throws: SettingsError.tooLarge(file: "a", bytesMax: 4 * 1024 * 1024)) {
            try ConfigurationFile.parse(
                [UInt8](repeating: 0x20, count: 4 * 1024 * 1024 + 1), file: "a", workers: 1,
                directory: "/")
        }
    }

    @Test func `all problems are told at once, in the order of the file`() {
        let lines = complaints(
            """
            log: { level: loud }
            gateway: { workers: 0 }
            services:
              - name: echo
                retry: { attemps: 2 }
            """)
        #expect(
            lines == [
                "penstock.yaml:1:15: log.level: 'loud' is not allowed; allowed: trace, debug, "
                    + "info, notice, warning, error, critical",
                "penstock.yaml:2:21: gateway.workers: '0' is not allowed; "
                    + "allowed: whole numbers 1 to 256",
                "penstock.yaml:4:5: services[0]: 'routes' is missing; "
                    + "such as routes: [{ path: / }]",
                "penstock.yaml:4:5: services[0]: 'revisions' is missing; "
                    + "such as revisions: [{ name: stable, endpoints: [127.0.0.1:9001] }]",
                "penstock.yaml:5:14: services[0].retry: unknown key 'attemps'; "
                    + "did you mean 'attempts'?",
            ])
    }

    @Test func `a flood of problems is cut off`() {
        let text = (0..<5000).map { "key\($0): 1" }.joined(separator: "\n")
        #expect(complaints(text).count == 200)
    }

    @Test(arguments: [
        Refusal("gateway: 1", "gateway: '1' where a map"),
        Refusal("gateway: { listeners: {} }", "a map where a list of listeners"),
        Refusal("gateway: { listeners: [] }", "the list is empty"),
        Refusal(
            "gateway: { listeners: [127.0.0.1:80] }", "listeners[0]: '127.0.0.1:80' where a map"),
        Refusal("gateway: { listeners: [{}] }", "'address' is missing"),
        Refusal("gateway: { listeners: [{ address: \"localhost:80\" }] }", "'localhost' is a name"),
        Refusal("gateway: { listeners: [{ address: \"127.0.0.1\" }] }", "is no address"),
        Refusal("gateway: { listeners: [{ address: \"127.0.0.1:99999\" }] }", "is no address"),
        Refusal("gateway: { listeners: [{ address: \"1.2.3:80\" }] }", "is no address"),
        Refusal("gateway: { listeners: [{ address: \"unix:a\" }] }", "path must be absolute"),
        Refusal(
            "gateway: { listeners: [{ address: \"1.2.3.4:1\", proxy_protocol: 1 }] }",
            "'1' is not allowed; allowed: true or false"),
        Refusal(
            "gateway: { listeners: [{ address: \"1.2.3.4:1\" }, { address: \"1.2.3.4:1\" }] }",
            "stands twice"),
        Refusal(
            "gateway: { listeners: [{ address: \"1.2.3.4:1\", tls: {} }] }",
            "'certificate' is missing"),
        Refusal("gateway: { workers: many }", "gateway.workers: 'many'"),
        Refusal("gateway: { workers: \"2\" }", "quoted text where a whole number"),
        Refusal("gateway: { workers: 2.5 }", "whole numbers 1 to 256"),
        Refusal("gateway: { workers: 99999999999999999999 }", "whole numbers 1 to 256"),
        Refusal("gateway: { limits: { connections: 0 } }", "1 to 1000000"),
        Refusal("gateway: { limits: { connections: -1 } }", "1 to 1000000"),
        Refusal("gateway: { limits: { request_head: 1B } }", "1KiB to 256KiB"),
        Refusal("gateway: { limits: { request_head: big } }", "'big' is no size"),
        Refusal("gateway: { limits: { headers: 1001 } }", "1 to 1000"),
        Refusal("gateway: { limits: { request_body: 2TiB } }", "0 to 1TiB"),
        Refusal("gateway: { limits: { request_body: [1] } }", "a list where a size"),
        Refusal("gateway: { limits: { pending: 1000001 } }", "0 to 1000000"),
        Refusal("gateway: { limits: { replay: 17MiB } }", "0 to 16MiB"),
        Refusal("gateway: { limits: { replays: 1 } }", "did you mean 'replay'?"),
        Refusal("gateway: { timeouts: { total: 5 } }", "'5' is no duration"),
        Refusal("gateway: { timeouts: { total: 25h } }", "allowed: 0s (off) or 1ms to 24h"),
        Refusal("gateway: { timeouts: { total: -1s } }", "'-1s' is no duration"),
        Refusal("gateway: { timeouts: { drain: {} } }", "a map where a duration"),
        Refusal("gateway: { timeouts: { keepalive: 1s } }", "did you mean 'keep_alive'?"),
        Refusal("gateway: { access_log: a.log }", "where a map"),
        Refusal("gateway: { access_log: {} }", "'path' is missing"),
        Refusal("gateway: { access_log: { path: a, sample: 2 } }", "0 to 1"),
        Refusal("gateway: { access_log: { path: a, sample: [] } }", "a list where a number"),
        Refusal("gateway: { trusted_proxies: 10.0.0.0/8 }", "where a list"),
        Refusal("gateway: { trusted_proxies: [10.0.0.1/8] }", "nothing set beyond"),
        Refusal("gateway: { trusted_proxies: [10.0.0.0/33] }", "is no block of addresses"),
        Refusal("gateway: { trusted_proxies: [\"::g/8\"] }", "is no block of addresses"),
        Refusal("admin: { listen: 0.0.0.0:9090 }", "needs TLS and a token"),
        Refusal("admin: { listen: \"unix:/a\" }", "not supported yet"),
        Refusal("admin: { tls: {} }", "'certificate' is missing"),
        Refusal(
            "admin: { tls: { certificate: a, key: b, client_ca: c } }", "not supported yet"),
        Refusal("admin: { allow: [] }", "the list is empty"),
        Refusal("admin: { port: 1 }", "unknown key 'port'"),
        Refusal("state: [a]", "state: a list where a path"),
        Refusal("state: \"\"", "the path is empty"),
        Refusal("log: { format: xml }", "allowed: json, text"),
        Refusal("replicas_on_exit: kill", "allowed: stop, keep"),
        Refusal("machine: { control_groups: sometimes }", "allowed: auto, off, an absolute path"),
        Refusal("machine: { gpus: [{ type: T4 }] }", "'count' is missing"),
        Refusal("machine: { gpus: [{ count: 1 }] }", "'type' is missing"),
        Refusal("machine: { gpus: [{ type: T4, count: 0 }] }", "allowed: whole numbers 1 to 64"),
        Refusal("machine: { gpus: [{ type: T4, count: 1, ram: 1GB }] }", "gpus[0]"),
    ])
    func `a wrong value for the program or the gateway is refused`(row: Refusal) {
        expect(row)
    }

    @Test(arguments: [
        Refusal("services: {}", "a map where a list of services"),
        Refusal("services: [1]", "services[0]: '1' where a map"),
        Refusal("services: [{}]", "'name' is missing"),
        Refusal("services: [{ name: \"a b\" }]", "is no name"),
        Refusal("services: [{ name: \(String(repeating: "n", count: 64)) }]", "1 to 63"),
        Refusal("services: [{ name: [] }]", "a list where a name"),
        Refusal(withService("balancing: fast"), "where a map"),
        Refusal(withService("balancing: { algorithm: fastest }"), "allowed: round_robin"),
        Refusal(
            withService("balancing: { algorithm: least_connection }"),
            "did you mean 'least_connections'?"),
        Refusal(withService("balancing: { slow_start: 2h }"), "1ms to 1h"),
        Refusal(withService("balancing: { sticky: {} }"), "needs one of 'cookie' and 'header'"),
        Refusal(withService("balancing: { sticky: { cookie: \"a b\" } }"), "no name of a cookie"),
        Refusal(withService("balancing: { sticky: { header: \"a b\" } }"), "is no header name"),
        Refusal(withService("balancing: { sticky: { cookie: a, ttl: 0s } }"), "1s to 8760h"),
        Refusal(withService("split: { key: user }"), "allowed: header:NAME, cookie:NAME"),
        Refusal(withService("split: { override: yes }"), "true or false"),
        Refusal(withService("health: { type: ping }"), "allowed: http, tcp, grpc, open_inference"),
        Refusal(withService("health: { type: tcp, path: /a }"), "only type http has a path"),
        Refusal(withService("health: { path: a }"), "it starts with '/'"),
        Refusal(withService("health: { interval: 1ms }"), "10ms to 1h"),
        Refusal(withService("health: { rise: 0 }"), "1 to 100"),
        Refusal(withService("health: { fall: x }"), "1 to 100"),
        Refusal(withService("ejection: { failures: 1001 }"), "0 to 1000"),
        Refusal(withService("ejection: { base: 1ms }"), "100ms to 300s"),
        Refusal(withService("ejection: { max: 101% }"), "0% to 100%"),
        Refusal(withService("ejection: { max: 50 }"), "with the sign"),
        Refusal(withService("retry: { attempts: 11 }"), "1 to 10"),
        Refusal(withService("retry: { budget: much }"), "is no share"),
        Refusal(withService("timeouts: { request_head: 1s }"), "gateway.timeouts"),
        Refusal(withService("timeouts: { keep_alive: 1s }"), "set it under gateway.timeouts"),
        Refusal(withService("timeouts: { drain: 1s }"), "set it under gateway.timeouts"),
        Refusal(withService("headers: { request: [] }"), "a list where a map of header names"),
        Refusal(withService("headers: { request: { \"a b\": c } }"), "is no header name"),
        Refusal(withService("headers: { request: { Host: c } }"), "the gateway's own"),
        Refusal(withService("headers: { response: { a: \"b\\nc\" } }"), "control characters"),
        Refusal(withService("headers: { response: { a: b, A: c } }"), "stands twice"),
        Refusal(withService("host: drop"), "allowed: keep, rewrite"),
        Refusal(withService("upgrades: [h2c]"), "'h2c' is not allowed"),
        Refusal(withService("upgrades: websocket"), "upgrades"),
        Refusal(withService("upgrades: [\"a b\"]"), "'a b' is not allowed"),
        Refusal(withService("hedge: { after: p20 }"), "'p20' is not allowed"),
        Refusal(withService("hedge: { after: soon }"), "hedge.after"),
        Refusal(withService("hedge: { budget: 200% }"), "hedge.budget"),
        Refusal(withService("colour: red"), "unknown key 'colour'"),
        Refusal(withRoute("{}"), "at least one of host, path, header and model"),
        Refusal(withRoute("{ path: echo }"), "it starts with '/'"),
        Refusal(withRoute("{ path: /a/../b }"), "dot segments"),
        Refusal(withRoute("{ path: \"/a?b\" }"), "has a query"),
        Refusal(withRoute("{ host: \"a:80\" }"), "without a port"),
        Refusal(withRoute("{ header: x-user }"), "not of the form"),
        Refusal(withRoute("{ model: a, strip: true }"), "this route has none"),
        Refusal(withRoute("{ path: /a }, { path: /a/ }"), "is also a route of 'echo'"),
    ])
    func `a wrong value in a service is refused`(row: Refusal) {
        expect(row)
    }

    @Test(arguments: [
        Refusal(withRevisions(""), "the list is empty"),
        Refusal(withRevisions("{ name: a }"), "'endpoints' is missing"),
        Refusal(withRevisions("{ name: a, endpoints: [] }"), "the list is empty"),
        Refusal(withRevisions("{ name: a, weight: 90, endpoints: [h:1] }"), "weights sum to 90"),
        Refusal(withRevisions("{ name: a, weight: 100.05, endpoints: [h:1] }"), "steps of 0.1"),
        Refusal(withRevisions("{ name: a, weight: 101, endpoints: [h:1] }"), "0 to 100"),
        Refusal(withRevisions("{ name: a, weight: [], endpoints: [h:1] }"), "where a percentage"),
        Refusal(
            withRevisions(
                "{ name: a, weight: 100, endpoints: [h:1] }, { name: b, endpoints: [h:1] }"),
            "'weight' is missing"),
        Refusal(
            withRevisions(
                "{ name: a, weight: 50, endpoints: [h:1] }, "
                    + "{ name: a, weight: 50, endpoints: [h:1] }"
            ),
            "stands twice; names of revisions are unique"),
        Refusal(
            withRevisions("{ name: a, endpoints: [h:1, h:1] }"), "stands twice in this revision"),
        Refusal(withRevisions("{ name: a, endpoints: [h:0] }"), "port 0"),
        Refusal(withRevisions("{ name: a, endpoints: [1] }"), "is no address"),
        Refusal(
            withRevisions("{ name: a, endpoints: [{ address: \"h:1\", weight: 0 }] }"),
            "1 to 1000"),
        Refusal(
            withRevisions("{ name: a, endpoints: [{ address: \"h:1\", concurrency: 0 }] }"),
            "1 to 100000"),
        Refusal(
            withRevisions("{ name: a, protocol: spdy, endpoints: [h:1] }"), "allowed: http1, h2"),
        Refusal(
            withRevisions("{ name: a, tls: { verfy: false }, endpoints: [h:1] }"),
            "did you mean 'verify'"),
        Refusal("deployments: [{ name: a }]", "'command' is missing"),
        Refusal("deployments: [a]", "'a' where a map is expected"),
        Refusal("deployments: [{ name: a, command: run }]", "command: text where a list"),
        Refusal("deployments: [{ name: a, command: [run] }]", "no argument or variable has {addr"),
        Refusal(withDeployment("replicas: 0"), "iris.replicas: 0 is not allowed"),
        Refusal(withDeployment("replicas: two"), "7:15: deployments.iris.replicas: text where"),
        Refusal(
            withDeployment("scaling_config: { min_replicas: 2, max_replicas: 1 }"),
            "above max_replicas, 1"),
        Refusal(
            withDeployment("scaling_config: { min_replicas: -1 }"),
            "7:37: deployments.iris.scaling_config.min_replicas: -1 is not allowed"),
        Refusal(withDeployment("min_replicas: 2"), "did you mean 'scaling_config.min_replicas'?"),
        Refusal(withDeployment("instance_type: cpu.standard"), "instance type 'cpu.standard' has"),
        Refusal(withDeployment("strategy: { type: recreate }"), "allowed: rolling"),
        Refusal(
            withDeployment("strategy: { type: canary, steps: [1, 100] }"),
            "deployments.iris.strategy.type: 'canary' is not supported yet; allowed: rolling"),
        Refusal(withDeployment("retry: { attempts: 2 }"), "'retry' is not supported yet"),
        Refusal(withDeployment("env: [A]"), "a list where a map of variables"),
        Refusal(withDeployment("env: { \"A B\": 1 }"), "'A B' is no name"),
        Refusal(withDeployment("env: { A: [1] }"), "iris.env.A: a list where text"),
        Refusal(withDeployment("concurrency: 0"), "1 to 100000"),
        Refusal(withDeployment("concurrency:"), "null; give it a value or leave it out"),
        Refusal(withDeployment("load_balancer: { health_check_interval: 0 }"), "100ms to 1h"),
        Refusal(withDeployment("labels: { a: b, a b: c }"), "'a b' is no name"),
        Refusal(withDeployment("name: twice"), "stands twice"),
        Refusal(
            withService("") + "\ndeployments: [{ name: echo, model: a, version: v1, "
                + "command: [run, \"{address}\"], instance_type: cpu.small }]",
            "names of services and deployments are unique"),
    ])
    func `a wrong value in a revision or a deployment is refused`(row: Refusal) {
        expect(row)
    }

    private func expect(_ row: Refusal) {
        let lines = complaints(row.text)
        #expect(lines.contains { $0.contains(row.says) }, "told: \(lines)")
        #expect(lines.allSatisfy { $0.hasPrefix("penstock.yaml:") })
    }
}
