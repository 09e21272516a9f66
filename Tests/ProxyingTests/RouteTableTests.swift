// Which route wins, by the contract's order, one key at a time. Combinations are the matter of
// RouteTableOracleTests.

import Proxying
import Testing
import Traffic

@Suite struct RouteTableTests {
    @Test func `an empty table matches nothing`() {
        #expect(RouteRequest().matches(RouteTable(services: [])) == .none)
    }

    @Test(arguments: [
        ("/echo", true), ("/echo/", true), ("/echo/x/y", true), ("/echo//x", true),
        ("/echox", false), ("/ech", false), ("/", false), ("/Echo", false), ("/x/echo", false),
        ("//echo", false), ("", false), ("*", false),
    ])
    func `a path matches itself and what lies below`(path: String, isMatch: Bool) {
        let table = RouteTable(RoutePlan(path: "/echo"))
        #expect(RouteRequest(path: path).matches(table) == (isMatch ? .service(0) : .none))
    }

    @Test(arguments: ["/", "", "/anything", "//"])
    func `the root matches every path`(path: String) {
        #expect(RouteRequest(path: path).matches(RouteTable(RoutePlan(path: "/"))) == .service(0))
    }

    @Test func `a route without keys matches even what has no path`() {
        #expect(RouteRequest(path: "*").matches(RouteTable(RoutePlan())) == .service(0))
    }

    @Test func `the longest path wins, the root before no path`() {
        let table = RouteTable(
            RoutePlan(), RoutePlan(path: "/"), RoutePlan(path: "/a"), RoutePlan(path: "/a/b"))
        #expect(RouteRequest(path: "/a/b/c").matches(table) == .service(3))
        #expect(RouteRequest(path: "/a/bc").matches(table) == .service(2))
        #expect(RouteRequest(path: "/b").matches(table) == .service(1))
        #expect(RouteRequest(path: "*").matches(table) == .service(0))
    }

    @Test func `a strip covers the route's path and not the slash behind it`() {
        let table = RouteTable(
            RoutePlan(path: "/echo", strips: true), RoutePlan(path: "/", strips: true),
            RoutePlan(path: "/shut/", strips: true))
        #expect(RouteRequest(path: "/echo/x").matches(table) == .route(service: 0, stripBytes: 5))
        #expect(RouteRequest(path: "/echo").matches(table) == .route(service: 0, stripBytes: 5))
        #expect(RouteRequest(path: "/x").matches(table) == .route(service: 1, stripBytes: 0))
        #expect(RouteRequest(path: "/shut").matches(table) == .route(service: 2, stripBytes: 5))
    }

    @Test(arguments: [
        ("example.com", 0), ("EXAMPLE.com", 0), ("example.com:8080", 0), ("example.com.", 0),
        ("example.com.:80", 0), ("a.example.com", 1), ("a.b.example.com", 1),
        ("x.api.example.com", 2), ("badexample.com", -1), (".example.com", -1), ("com", -1),
        ("", -1), ("[::1]", 3), ("[::1]:80", 3), ("127.0.0.1", 4), ("127.0.0.1:9", 4),
    ])
    func `hosts match without case, port and closing dot`(host: String, service: Int32) {
        let table = RouteTable(
            RoutePlan(host: "example.com"), RoutePlan(host: "*.example.com"),
            RoutePlan(host: "*.API.example.com"), RoutePlan(host: "[::1]"),
            RoutePlan(host: "127.0.0.1"))
        let expected: RouteMatch = service < 0 ? .none : .service(service)
        #expect(RouteRequest(host: host).matches(table) == expected)
    }

    @Test(arguments: [
        ("x-tenant: a", true), ("X-Tenant: a", true), ("x-tenant: A", false),
        ("x-tenant: ab", false), ("x_tenant: a", false), ("x-tenants: a", false),
    ])
    func `a header's name matches in any case, its value exactly`(line: String, isMatch: Bool) {
        let table = RouteTable(RoutePlan(header: HeaderMatch(name: "x-tenant", value: "a")))
        let request = RouteRequest(headers: ["accept: a", line])
        #expect(request.matches(table) == (isMatch ? .service(0) : .none))
    }

    @Test func `of a header sent twice the first decides`() {
        let table = RouteTable(
            RoutePlan(header: HeaderMatch(name: "x-t", value: "a")),
            RoutePlan(header: HeaderMatch(name: "x-t", value: "b")))
        #expect(RouteRequest(headers: ["x-t: b", "x-t: a"]).matches(table) == .service(1))
        #expect(RouteRequest(headers: ["x-t: c", "x-t: a"]).matches(table) == .none)
    }

    @Test func `host outranks wildcard, header, model and path`() {
        let table = RouteTable(
            RoutePlan(path: "/v2/models/m/infer"), RoutePlan(model: "m"),
            RoutePlan(header: HeaderMatch(name: "h", value: "1")), RoutePlan(host: "*.test"),
            RoutePlan(host: "any.test"))
        var request = RouteRequest(path: "/v2/models/m/infer", headers: ["h: 1"])
        #expect(request.matches(table) == .service(4))
        request.host = "other.test"
        #expect(request.matches(table) == .service(3))
        request.host = "else"
        #expect(request.matches(table) == .service(2))
        request.headers = []
        #expect(request.matches(table) == .service(1))
        request.path = "/v2/models/other"
        #expect(request.matches(table) == .none)
    }

    @Test func `all keys of a route must match`() {
        let table = RouteTable(
            RoutePlan(
                host: "any.test", path: "/p", header: HeaderMatch(name: "h", value: "1"),
                model: "m"))
        let good = RouteRequest(path: "/p/v2/models/m", headers: ["h: 1"])
        #expect(good.matches(table) == .service(0))
        var request = good
        request.host = "b"
        #expect(request.matches(table) == .none)
        request = good
        request.headers = ["h: 2"]
        #expect(request.matches(table) == .none)
        request = good
        request.path = "/p/v2/models/n"
        #expect(request.matches(table) == .none)
        request.path = "/q/v2/models/m"
        #expect(request.matches(table) == .none)
    }
}

@Suite struct RouteTableModelTests {
    @Test(arguments: [
        ("/v2/models/iris", true), ("/v2/models/iris/infer", true),
        ("/v2/models/iris/versions/1/infer", true), ("/v2/models/iris2", false),
        ("/v2/models/iri", false), ("/v2/models/", false), ("/v2/models", false),
        ("/v2/models//iris", false), ("/x/v2/models/iris", false), ("/v2/models/%69ris", true),
    ])
    func `a model is found in an Open Inference path`(path: String, isMatch: Bool) {
        let table = RouteTable(RoutePlan(model: "iris"))
        #expect(RouteRequest(path: path).matches(table) == (isMatch ? .service(0) : .none))
    }

    @Test(arguments: ["/v2/models/org%2Fllama%203/infer", "/v2/models/org%2fllama%203"])
    func `a model's name may come percent-encoded`(path: String) {
        let table = RouteTable(RoutePlan(model: "org/llama 3"))
        #expect(RouteRequest(path: path).matches(table) == .service(0))
    }

    @Test func `an encoded name longer than any model matches none`() {
        let name = String(repeating: "%61", count: 300)
        let table = RouteTable(RoutePlan(model: String(repeating: "a", count: 300)))
        #expect(RouteRequest(path: "/v2/models/\(name)").matches(table) == .none)
    }

    @Test func `a body is asked for its model once, then decides`() {
        let table = RouteTable(RoutePlan(model: "gpt"), RoutePlan(path: "/v1"))
        let request = RouteRequest(path: "/v1/chat/completions", mayCarryModel: true)
        #expect(request.matches(table) == .needsModel)
        #expect(request.matches(table, model: "gpt") == .service(0))
        #expect(request.matches(table, model: "other") == .service(1))
        #expect(request.matches(table, model: "") == .service(1))
    }

    @Test func `a body is left alone where no model could win`() {
        let table = RouteTable(
            RoutePlan(model: "gpt"), RoutePlan(host: "plain.test"), RoutePlan(path: "/"))
        let elsewhere = RouteRequest(path: "/chat", mayCarryModel: true)
        #expect(elsewhere.matches(table) == .service(2))
        let other = RouteRequest(path: "/v1/x", host: "plain.test", mayCarryModel: true)
        #expect(other.matches(table) == .service(1))
        let bodyless = RouteRequest(path: "/v1/models", mayCarryModel: false)
        #expect(bodyless.matches(table) == .service(2))
    }

    @Test func `a host's own models do not make other hosts read bodies`() {
        let table = RouteTable(RoutePlan(host: "a.test", model: "gpt"), RoutePlan())
        var request = RouteRequest(path: "/v1/x", host: "b.test", mayCarryModel: true)
        #expect(request.matches(table) == .service(1))
        request.host = "a.test"
        #expect(request.matches(table) == .needsModel)
        #expect(request.matches(table, model: "gpt") == .service(0))
    }

    @Test func `a model is found behind a route's own prefix`() {
        let table = RouteTable(RoutePlan(path: "/llm", strips: true, model: "gpt"))
        let request = RouteRequest(path: "/llm/v1/chat/completions", mayCarryModel: true)
        #expect(request.matches(table, model: "gpt") == .route(service: 0, stripBytes: 4))
        let open = RouteRequest(path: "/llm/v2/models/gpt/infer")
        #expect(open.matches(table) == .route(service: 0, stripBytes: 4))
    }

    @Test func `a path's model wins over the body's`() {
        let table = RouteTable(RoutePlan(model: "a"), RoutePlan(model: "b"))
        let request = RouteRequest(path: "/v2/models/b/infer", mayCarryModel: true)
        #expect(request.matches(table, model: "a") == .service(1))
    }

    @Test func `1,500 routes find what three do`() {
        let services = (0..<500).map { number in
            ServicePlan(
                name: "m\(number)",
                routes: [
                    RoutePlan(path: "/m\(number)", strips: true),
                    RoutePlan(
                        header: HeaderMatch(name: "x-penstock-deployment", value: "m\(number)")),
                    RoutePlan(model: "m\(number)"),
                ])
        }
        let table = RouteTable(services: services)
        for number in 0..<500 as Range<Int32> {
            let strip = Int32("/m\(number)".utf8.count)
            #expect(
                RouteRequest(path: "/m\(number)/x").matches(table)
                    == .route(service: number, stripBytes: strip))
            #expect(RouteRequest(path: "/v2/models/m\(number)").matches(table) == .service(number))
            let header = RouteRequest(headers: ["X-Penstock-Deployment: m\(number)"])
            #expect(header.matches(table) == .service(number))
        }
        #expect(RouteRequest(path: "/m500").matches(table) == .none)
    }
}
