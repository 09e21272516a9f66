// The quick search against a plain reading of the contract: every route is tried, the most
// specific one that matches wins.

import Proxying
import Testing
import Traffic

@Suite struct RouteTableOracleTests {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `the search finds what trying every route finds`(seed: UInt64) {
        var draw = Draw(state: seed)
        var routes: [RoutePlan] = []
        while routes.count < 12 {
            let route = draw.route()
            if !routes.contains(route) { routes.append(route) }
        }
        let table = RouteTable(
            services: routes.enumerated().map { ServicePlan(name: "\($0)", routes: [$1]) })
        for _ in 0..<40 {
            let request = draw.request()
            let model = draw.pick(["m", "n", ""]) ?? ""
            #expect(
                request.matches(table, model: model) == best(routes, request, model: model),
                "seed \(seed), \(request), body's model \(model)")
        }
    }

    private func best(_ routes: [RoutePlan], _ request: RouteRequest, model: String) -> RouteMatch {
        let matching = routes.enumerated().filter { fits($1, request, model: model) }
        let winner = matching.max { rank($0.element).lexicographicallyPrecedes(rank($1.element)) }
        return winner.map { .service(Int32($0.offset)) } ?? .none
    }

    private func rank(_ route: RoutePlan) -> [Int] {
        let host = route.host.map { $0.hasPrefix("*") ? $0.utf8.count : 1000 } ?? 0
        let path = route.path.map { $0 == "/" ? 1 : $0.utf8.count } ?? 0
        return [host, route.header == nil ? 0 : 1, route.model == nil ? 0 : 1, path]
    }

    private func fits(_ route: RoutePlan, _ request: RouteRequest, model: String) -> Bool {
        if let host = route.host {
            let isMatch =
                host.hasPrefix("*")
                ? request.host.hasSuffix(host.dropFirst()) : request.host == host
            if !isMatch { return false }
        }
        var rest = Substring(request.path)
        if let path = route.path, path != "/" {
            guard (request.path + "/").hasPrefix(path + "/") else { return false }
            rest = request.path.dropFirst(path.utf8.count)
        }
        if let header = route.header {
            if !request.headers.contains("\(header.name): \(header.value)") { return false }
        }
        guard let wanted = route.model else { return true }
        let views = [Substring(request.path), rest]
        if let inPath = views.first(where: { $0.hasPrefix("/v2/models/") }) {
            return inPath.split(separator: "/", omittingEmptySubsequences: false)[3] == wanted
        }
        return request.mayCarryModel && views.contains { $0.hasPrefix("/v1/") } && model == wanted
    }
}

private struct Draw {
    var state: UInt64

    mutating func number(below limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }

    mutating func pick(_ texts: [String?]) -> String? { texts[number(below: texts.count)] }

    mutating func route() -> RoutePlan {
        RoutePlan(
            host: pick([nil, nil, "a.test", "*.test", "*.b.test"]),
            path: pick([nil, nil, "/", "/p", "/p/q", "/v1", "/v2"]),
            header: pick([nil, nil, "1", "2"]).map { HeaderMatch(name: "h", value: $0) },
            model: pick([nil, nil, "m", "n"]))
    }

    mutating func request() -> RouteRequest {
        let paths = [
            "/", "/p", "/p/q", "/p/q/r", "/pq", "/v1/chat", "/p/v1/chat", "/v2/models/m",
            "/v2/models/n/infer", "/p/v2/models/m/infer", "/v2", "/x",
        ]
        return RouteRequest(
            path: pick(paths) ?? "/",
            host: pick(["a.test", "b.test", "a.b.test", "c"]) ?? "c",
            headers: pick([nil, "h: 1", "h: 2"]).map { [$0] } ?? [],
            mayCarryModel: number(below: 2) == 0)
    }
}
