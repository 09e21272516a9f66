// `routes:` and `headers:`: which requests are a service's own, and how their heads are edited.
// Routes are kept in the form in which requests are compared, so that equal ones are found here.

import Notation
import Traffic
import Yams

extension Reading {
    func routes(_ section: Section) -> [RoutePlan] {
        let value = section.required("routes", "such as routes: [{ path: / }]")
        let list = value?.list("routes", count: 1...Limits.routes) ?? []
        return list.compactMap { $0.section(route) }
    }

    private func route(_ section: Section) -> RoutePlan? {
        var route = RoutePlan()
        section.assign("host", &route.host) { $0.routeHost() }
        section.assign("path", &route.path) { $0.routePath() }
        section.assign("strip", &route.strips) { $0.boolean() }
        section.assign("header", &route.header) { $0.headerMatch() }
        section.assign("model", &route.model) { $0.text("the name of a model") }
        if !["host", "path", "header", "model"].contains(where: section.has) {
            section.refuse("a route needs at least one of host, path, header and model")
        }
        if route.strips, !section.has("path") {
            section.refuse("'strip' removes the path, and this route has none")
        }
        return route
    }

    /// Two services cannot both own a request; the later route is the wrong one.
    func refuseEqualRoutes(_ services: [Value], _ configuration: Configuration) {
        guard configuration.services.count == services.count else { return }
        var owners: [RoutePlan: String] = [:]
        for (plan, value) in zip(configuration.services, services) {
            let places = value.child("routes")?.elements ?? []
            guard places.count == plan.routes.count else { continue }
            for (route, place) in zip(plan.routes, places) {
                var key = route
                key.strips = false
                if let owner = owners.updateValue(plan.name, forKey: key) {
                    place.refuse("\(key) is also a route of '\(owner)'; routes are unique")
                }
            }
        }
    }

    func headers(_ section: Section) -> HeaderEdits? {
        var headers = HeaderEdits()
        section.assign("request", &headers.request) { $0.headerEdits() }
        section.assign("response", &headers.response) { $0.headerEdits() }
        return headers
    }
}

extension Value {
    /// The value of one key of a map, without any check: for rules that span values.
    func child(_ key: String) -> Value? {
        guard case .mapping(let mapping) = node,
            let node = mapping.first(where: { $0.key.string == key })?.value
        else { return nil }
        return Value(node: node, field: "\(field).\(key)", findings: findings)
    }

    var elements: [Value] {
        guard case .sequence(let sequence) = node else { return [] }
        return sequence.enumerated().map { index, node in
            Value(node: node, field: "\(field)[\(index)]", findings: findings)
        }
    }

    fileprivate func routeHost() -> String? {
        guard let text = text("a host such as example.com or \"*.example.com\"")?.lowercased()
        else { return nil }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        let isHost =
            !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 45, 46, 48...57, 95, 97...122: true
                default: false
                }
            }
        let literal = name.hasPrefix("[") && name.hasSuffix("]") ? name.dropFirst().dropLast() : ""
        guard isHost || AddressBits(String(literal)) != nil else {
            refuse(
                "\(Spelling.quoted(text)) is no host; write a name without a port, such as "
                    + "example.com or \"*.example.com\"")
            return nil
        }
        return text
    }

    /// As requests are compared: dot segments resolved, no slash at the end.
    fileprivate func routePath() -> String? {
        guard let text = urlPath() else { return nil }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let dots = ["..", ".", "%2e", "%2e%2e", ".%2e", "%2e."]
        guard !text.contains("?"), !segments.contains(where: { dots.contains($0.lowercased()) })
        else {
            refuse("\(Spelling.quoted(text)) has a query or dot segments; write the plain path")
            return nil
        }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    fileprivate func headerMatch() -> HeaderMatch? {
        guard let text = text("\"name: value\"") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
        guard parts.count == 2, !parts[1].isEmpty else {
            refuse("\(Spelling.quoted(text)) is not of the form \"name: value\"")
            return nil
        }
        return headerName(parts[0]).map { HeaderMatch(name: $0, value: parts[1]) }
    }

    /// Name to value; null removes.
    fileprivate func headerEdits() -> [HeaderEdits.Edit]? {
        guard case .mapping(let mapping) = node else {
            refuse("\(kind) where a map of header names to values is expected")
            return nil
        }
        guard mapping.count <= Limits.headerEdits else {
            refuse("\(mapping.count) headers; at most \(Limits.headerEdits) are allowed")
            return nil
        }
        var seen = Set<String>()
        return mapping.compactMap { key, node in
            let value = Value(
                node: node, field: "\(field).\(key.string ?? "")", findings: findings)
            let place = Value(node: key, field: field, findings: findings)
            guard let name = place.headerName(key.string ?? "") else { return nil }
            guard !Value.framing.contains(name) else {
                place.refuse("'\(name)' is the gateway's own and cannot be edited")
                return nil
            }
            guard seen.insert(name).inserted else {
                place.refuse("'\(name)' stands twice; case does not matter")
                return nil
            }
            if value.isNull { return HeaderEdits.Edit(name: name, value: nil) }
            return value.text("the header's value").map { HeaderEdits.Edit(name: name, value: $0) }
        }
    }

    /// They frame the message or belong to one connection.
    private static let framing: Set = [
        "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "expect",
    ]
}
