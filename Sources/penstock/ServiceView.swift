// What the admin port says about a service, as people read it: a line in a table, or a tree. What
// a gateway does not say is left blank.

import Console
import Foundation
import Notation

struct ServiceView {
    let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    static func all(in answer: Data) -> [ServiceView] {
        let value = JSONValue(answer)
        return (value?["services"] ?? value?["items"] ?? value)?.list.map(ServiceView.init) ?? []
    }

    var name: String { value["name"]?.text ?? "?" }

    static func table(_ services: [ServiceView]) -> String {
        services.isEmpty
            ? "no services" : rows(services).text(Terminal.paint, width: Terminal.width)
    }

    static func rows(_ services: [ServiceView]) -> TextTable {
        var table = TextTable(
            "SERVICE", "SOURCE", "ALGORITHM", "SPLIT", "ENDPOINTS", "IN FLIGHT", "REQUESTS")
        for service in services {
            let value = service.value
            let total = value["endpoints_total"]?.number ?? 0
            let up = total - (value["endpoints_down"]?.number ?? 0)
            table.add(
                .init(service.name), .init(value["source"]?.text ?? ""),
                .init(value["algorithm"]?.text ?? ""), .init(Self.words(value["traffic"])),
                .init("\(plain(up)) of \(plain(total))", up == total ? .green : .yellow),
                .init(service.number(value["in_flight"])),
                .init(service.number(value["requests"])))
        }
        return table
    }

    /// The split of an answer to `/traffic`.
    static func split(in answer: Data) -> String {
        words(JSONValue(answer)?["traffic"])
    }

    private static func words(_ traffic: JSONValue?) -> String {
        let weights = (traffic?.members ?? []).sorted { $0.name < $1.name }
        return weights.compactMap { weight in
            weight.value.number.map { "\(weight.name)=\(plain($0))" }
        }.joined(separator: " ")
    }

    /// The service, its revisions and their endpoints; figures are those of the last minute.
    ///
    /// - Parameter stats: what `/stats` says; nil leaves the figures out.
    func tree(_ stats: JSONValue?) -> String {
        var table = TextTable(
            name, "STATE", "WEIGHT", "IN FLIGHT", "REQUESTS/S", "P50", "P95", "P99", "NOTE")
        for revision in revisions {
            let title = revision["name"]?.text ?? "?"
            let figures = Self.find("name", title, in: stats?["revisions"])
            let endpoints = revision["endpoints"]?.list ?? []
            table.add(
                .init("├ \(title)"), .init(""), .init(number(revision["weight"]) + " %"),
                .init(inFlight(endpoints)), .init(rate(figures)), .init(latency(figures, "p50_ms")),
                .init(latency(figures, "p95_ms")), .init(latency(figures, "p99_ms")), .init(""))
            for endpoint in endpoints { add(endpoint, figures?["endpoints"], to: &table) }
        }
        return table.text(Terminal.paint, width: Terminal.width)
    }

    private func add(_ endpoint: JSONValue, _ all: JSONValue?, to table: inout TextTable) {
        let address = endpoint["address"]?.text ?? "?"
        let figures = Self.find("address", address, in: all)
        let state = state(of: endpoint)
        table.add(
            .init("│  \(address)"), .init(state.word, state.colour),
            .init(number(endpoint["weight"])), .init(number(endpoint["in_flight"])),
            .init(rate(figures)), .init(latency(figures, "p50_ms")),
            .init(latency(figures, "p95_ms")), .init(latency(figures, "p99_ms")),
            .init(endpoint["last_error"]?.text ?? ""))
    }

    private static func find(_ key: String, _ name: String, in list: JSONValue?) -> JSONValue? {
        list?.list.first { $0[key]?.text == name }
    }

    private var revisions: [JSONValue] { value["revisions"]?.list ?? [] }

    private struct EndpointState {
        var word: String
        var colour: Paint.Ink
    }

    private func state(of endpoint: JSONValue) -> EndpointState {
        if endpoint["drained"]?.boolean == true {
            return EndpointState(word: "drained", colour: .yellow)
        }
        if endpoint["ejected"]?.boolean == true {
            return EndpointState(word: "ejected", colour: .red)
        }
        switch endpoint["health"]?.text {
        case "down": return EndpointState(word: "down", colour: .red)
        case "up": return EndpointState(word: "up", colour: .green)
        case let other:
            return EndpointState(word: other ?? "unknown", colour: .dim)
        }
    }

    private func inFlight(_ endpoints: [JSONValue]) -> String {
        Self.plain(endpoints.reduce(0) { $0 + ($1["in_flight"]?.number ?? 0) })
    }

    private func rate(_ figures: JSONValue?) -> String {
        guard let rate = figures?["last_60s"]?["requests_per_second"]?.number else { return "" }
        return rate.formatted(.number.precision(.fractionLength(0...1)).grouping(.never))
    }

    private func number(_ value: JSONValue?) -> String {
        value?.number.map(Self.plain) ?? ""
    }

    /// Milliseconds of one quantile; nothing until a request has been measured.
    private func latency(_ figures: JSONValue?, _ quantile: String) -> String {
        guard let milliseconds = figures?["last_60s"]?[quantile]?.number else { return "" }
        return milliseconds.formatted(.number.precision(.fractionLength(0...2)).grouping(.never))
            + " ms"
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
}
