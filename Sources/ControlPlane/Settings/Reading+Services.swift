// `services:`: how requests of one service are balanced, split, checked and tried again. Routes
// and revisions have files of their own.

import Notation
import Traffic
import Yams

extension Reading {
    func service(_ section: Section, timeouts outer: TimeoutPlan) -> ServicePlan? {
        let name = section.required("name", "services are told apart by it")?.name()
        var service = ServicePlan(name: name ?? "")
        // Another salt for each service: nobody is the canary of them all.
        let salt = Reading.salt(of: service.name)
        service.split.salt = salt
        service.timeouts = outer
        service.routes = routes(section)
        section.assign("balancing", &service.balancing) { $0.section(balancing) }
        section.assign("split", &service.split) { value in
            value.section { split($0, salt: salt) }
        }
        section.assign("health", &service.health) { $0.section(health) }
        section.assign("ejection", &service.ejection) { $0.section(ejection) }
        section.assign("retry", &service.retry) { $0.section(retry) }
        section.assign("timeouts", &service.timeouts) { value in
            value.section { serviceTimeouts($0, over: outer) }
        }
        section.assign("headers", &service.headers) { $0.section(headers) }
        section.assign("host", &service.rewritesHost) {
            $0.word(HostRule.self).map { $0 == .rewrite }
        }
        section.assign("upgrades", &service.upgrades, upgrades)
        section.assign("hedge", &service.hedge) { $0.section(hedge) }
        service.revisions = revisions(section)
        return name.map { _ in service }
    }

    /// Protocols that clients may leave HTTP/1.1 for.
    private func upgrades(_ value: Value) -> [String]? {
        guard let list = value.list("upgrades", count: 0...Limits.upgrades) else { return nil }
        let names = list.compactMap { element -> String? in
            guard let text = element.text("the name of a protocol, such as websocket")
            else { return nil }
            let name = text.lowercased()
            // HTTP/2 is spoken on every listener already, without an upgrade.
            if name == "h2c" || name.hasPrefix("http") || !text.utf8.allSatisfy(\.isTokenByte) {
                element.refuse(
                    "\(Spelling.quoted(text)) is not allowed; allowed: websocket, "
                        + "or another protocol that leaves HTTP")
                return nil
            }
            return name
        }
        return names.count == list.count ? names : nil
    }

    func balancing(_ section: Section) -> BalancingPlan? {
        var balancing = BalancingPlan()
        section.assign("algorithm", &balancing.algorithm) { $0.algorithm() }
        section.assign("slow_start", &balancing.slowStart) { value in
            value.duration(.milliseconds(1) ... .seconds(3600), mayBeOff: true)
        }
        section.assign("sticky", &balancing.sticky) { $0.section(sticky) }
        return balancing
    }

    private func sticky(_ section: Section) -> StickyPlan?? {
        let cookie = section["cookie"]
        let header = section["header"]
        var lifetime = Duration.seconds(3600)
        section.assign("ttl", &lifetime) { value in
            value.duration(.seconds(1) ... .seconds(365 * 24 * 3600))
        }
        switch (cookie, header) {
        case (let cookie?, nil):
            guard let name = cookie.text("the name of a cookie") else { return nil }
            return cookie.token(name).map { StickyPlan(key: .cookie($0), lifetime: lifetime) }
        case (nil, let header?):
            guard let name = header.text("the name of a header") else { return nil }
            return header.headerName(name).map { StickyPlan(key: .header($0), lifetime: lifetime) }
        default:
            section.refuse("needs one of 'cookie' and 'header', not both")
            return nil
        }
    }

    private func split(_ section: Section, salt: UInt64) -> SplitPlan? {
        var split = SplitPlan()
        split.salt = salt
        section.assign("key", &split.key) { $0.splitKey() }
        section.assign("override", &split.allowsOverride) { $0.boolean() }
        return split
    }

    private func health(_ section: Section) -> HealthCheckPlan?? {
        let type = section["type"]
        let path = section["path"]
        var health = HealthCheckPlan(probe: .http(path: "/health"))
        switch type?.word(ProbeType.self) {
        case .grpc: health.probe = .grpc
        case .tcp: health.probe = .tcp
        case .openInference: health.probe = .openInference
        case .http, nil:
            if let path = path?.urlPath() { health.probe = .http(path: path) }
        }
        if case .http = health.probe {} else { path?.refuse("only type http has a path") }
        section.assign("interval", &health.interval) { $0.duration(Reading.probeTimes) }
        section.assign("timeout", &health.timeout) { $0.duration(Reading.probeTimes) }
        section.assign("rise", &health.rise) { $0.whole(1...100) }
        section.assign("fall", &health.fall) { $0.whole(1...100) }
        return health
    }

    private func ejection(_ section: Section) -> EjectionPlan? {
        var ejection = EjectionPlan()
        section.assign("failures", &ejection.failures) { $0.whole(0...1000) }
        section.assign("base", &ejection.base) { $0.duration(.milliseconds(100) ... .seconds(300)) }
        section.assign("max", &ejection.maxShare) { $0.share() }
        return ejection
    }

    private func retry(_ section: Section) -> RetryPlan? {
        var retry = RetryPlan()
        section.assign("attempts", &retry.attempts) { $0.whole(1...10) }
        section.assign("idempotent", &retry.isIdempotent) { $0.boolean() }
        section.assign("budget", &retry.budgetShare) { $0.share() }
        return retry
    }

    private func hedge(_ section: Section) -> HedgePlan?? {
        var hedge = HedgePlan()
        section.assign("after", &hedge.delay) { $0.hedgeDelay() }
        section.assign("budget", &hedge.budgetShare) { $0.share() }
        return hedge
    }

    /// Some times pass while no service is known, or concern all of them.
    private func serviceTimeouts(_ section: Section, over outer: TimeoutPlan) -> TimeoutPlan? {
        section.refuse(
            "request_head",
            "passes before the service is known; set it under gateway.timeouts")
        section.refuse(
            "keep_alive",
            "passes between requests, which may be for other services; set it under "
                + "gateway.timeouts")
        section.refuse(
            "drain", "is the gateway's, for all services; set it under gateway.timeouts")
        return timeouts(section, over: outer)
    }

    static let probeTimes = Duration.milliseconds(10) ... .seconds(3600)

    /// FNV-1a: the same in every process and version.
    static func salt(of name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

private enum HostRule: String, CaseIterable {
    case keep, rewrite
}

private enum ProbeType: String, CaseIterable {
    case http, tcp, grpc
    case openInference = "open_inference"
}

extension Value {
    func algorithm() -> BalancingAlgorithm? {
        word(BalancingAlgorithm.self) { text in
            text.split { $0 == " " || $0 == "-" || $0 == "_" }.joined(separator: "_").lowercased()
        }
    }

    /// `p95` of recent answers, or a duration.
    fileprivate func hedgeDelay() -> HedgePlan.Delay? {
        if let text = node.string, text.hasPrefix("p"), let percent = Double(text.dropFirst()) {
            if percent >= 50, percent <= 99.9 { return .quantile(percent / 100) }
            refuse("\(Spelling.quoted(text)) is not allowed; allowed: p50 to p99.9, or a duration")
            return nil
        }
        return duration(.milliseconds(1) ... .seconds(60)).map { .fixed($0) }
    }

    /// `header:x-user`, `cookie:name` or `client_address`.
    fileprivate func splitKey() -> SplitPlan.Key?? {
        guard let text = text("a key such as header:x-user") else { return nil }
        if Spelling.snakeCase(text) == "client_address" { return .clientAddress }
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2, parts[0] == "header" {
            return headerName(parts[1].trimmed).map { .header($0) }
        }
        if parts.count == 2, parts[0] == "cookie" {
            return token(parts[1].trimmed).map { .cookie($0) }
        }
        refuse(
            "\(Spelling.quoted(text)) is not allowed; "
                + "allowed: header:NAME, cookie:NAME or client_address")
        return nil
    }

    /// The name of a cookie; case matters.
    fileprivate func token(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 128, text.utf8.allSatisfy(\.isTokenByte) else {
            refuse("\(Spelling.quoted(text)) is no name of a cookie")
            return nil
        }
        return text
    }
}

extension String {
    var trimmed: String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
