// `penstock status NAME`: deployment, the operation at work, revisions, replicas, as one tree with
// one set of columns. Below it, the conditions that are not as they should be, and what to type
// next.

package import Notation

package struct StatusTree: Sendable {
    package var deployment: JSONValue
    package var replicas: [JSONValue]
    /// The one at work, or the last one.
    package var operation: JSONValue?
    /// What `/v1/services/{name}/stats` says; nil while there is no service.
    package var stats: JSONValue?
    package var now: Double

    package init(
        deployment: JSONValue, replicas: [JSONValue], operation: JSONValue? = nil,
        stats: JSONValue? = nil, now: Double
    ) {
        self.deployment = deployment
        self.replicas = replicas
        self.operation = operation
        self.stats = stats
        self.now = now
    }

    package func text(_ paint: Paint, width: Int?) -> String {
        var table = TextTable(
            "NAME", "STATUS", "READY", "AGE", "REQ/S", "P50", "P95", "ERRORS", "CPU", "MEMORY",
            "NOTE")
        tree.add(to: &table)
        var blocks = [table.text(paint, width: width)]
        let notes = notes(paint)
        if !notes.isEmpty { blocks.append(notes.joined(separator: "\n")) }
        blocks.append(footer(paint))
        return blocks.joined(separator: "\n\n")
    }

    private var name: String { Tables.name(deployment) }
    private var status: JSONValue? { deployment["status"] }

    private var tree: Tree {
        let word = status?["status"]?.text ?? "?"
        let title = "\(name)  \(Tables.model(deployment["spec"]))"
        var children: [Tree] = []
        if let operation, isRecent(operation) { children.append(branch(of: operation)) }
        let living = replicas.filter { $0["state"]?.text != "exited" }
        let numbers = Set(living.compactMap { $0["revision"]?.whole }).sorted(by: >)
        children += numbers.map { number in
            revision(number, living.filter { $0["revision"]?.whole == number })
        }
        return Tree(
            [
                .init(title, .bold), .init(word, .of(state: word)), .init(Tables.ready(status)),
                .init(Words.age(of: deployment[path: ["metadata", "created_at"]], at: now)),
            ]
                + figures(stats) + [.init(""), .init(""), .init(message)], children: children)
    }

    /// Beyond what the columns say.
    private var message: String {
        status?["reason"]?.text == "Serving" ? "" : status?["message"]?.text ?? ""
    }

    private func isRecent(_ operation: JSONValue) -> Bool {
        if operation["done"]?.boolean != true { return true }
        let finished = operation["finished_at"]?.text.flatMap(Words.seconds) ?? 0
        return operation["state"]?.text != "succeeded" && now - finished < 600
    }

    private func branch(of operation: JSONValue) -> Tree {
        let state = operation["state"]?.text ?? "?"
        let message =
            operation[path: ["error", "message"]] ?? operation[path: ["progress", "message"]]
        return Tree([
            .init(operation["action"]?.text ?? "operation"), .init(state, .of(state: state)),
            .init(""), .init(Words.age(of: operation["created_at"], at: now)), .init(""),
            .init(""), .init(""), .init(""), .init(""), .init(""), .init(message?.text ?? ""),
        ])
    }

    private func revision(_ number: Int64, _ replicas: [JSONValue]) -> Tree {
        let figures = figures(
            stats?["revisions"]?.list.first { $0["name"]?.text == "r\(number)" })
        let ready = replicas.count { $0["state"]?.text == "ready" }
        return Tree(
            [
                .init("r\(number)"), .init(role(of: number), .dim),
                .init("\(ready)"), .init(""),
            ] + figures,
            children: replicas.map(replica))
    }

    private func role(of number: Int64) -> String {
        let (wanted, serving) = (status?["revision"]?.whole, status?["revision_in_force"]?.whole)
        return number == serving ? "serving" : number == wanted ? "wanted" : "leaving"
    }

    private func replica(_ replica: JSONValue) -> Tree {
        let state = Tables.state(of: replica)
        let endpoint = (stats?["revisions"]?.list ?? []).flatMap { $0["endpoints"]?.list ?? [] }
            .first { $0["address"] == replica["address"] }
        let restarts = replica["restarts"]?.whole ?? 0
        let restarted = restarts > 0 ? ["restarted \(Words.count(Int(restarts), "time"))"] : []
        let note = (restarted + [Tables.note(of: replica)]).filter { !$0.isEmpty }
        return Tree(
            [
                .init(Tables.name(replica)), .init(state, .of(state: state)), .init(""),
                .init(Words.age(of: replica["started_at"], at: now)),
            ] + figures(endpoint)
                + [
                    .init(Tables.cores(replica)), .init(Tables.memory(replica)),
                    .init(note.joined(separator: "; ")),
                ])
    }

    /// Of the last minute; nothing where nothing was asked.
    private func figures(_ stats: JSONValue?) -> [TextTable.Cell] {
        let last = stats?["last_60s"]
        guard (last?["requests"]?.whole ?? 0) > 0 else {
            return [.init(""), .init(""), .init(""), .init("")]
        }
        let errors = last?["failed_percent"]?.number ?? 0
        return [
            .init(rate(last?["requests_per_second"]?.number ?? 0)),
            .init(milliseconds(last?["p50_ms"])), .init(milliseconds(last?["p95_ms"])),
            .init("\(Words.number(errors, 1)) %", errors > 0 ? .red : nil),
        ]
    }

    private func rate(_ perSecond: Double) -> String {
        Words.number(perSecond, perSecond < 1 ? 2 : 1)
    }

    private func milliseconds(_ value: JSONValue?) -> String {
        value?.number.map { "\(Words.number($0, 2)) ms" } ?? ""
    }

    /// Conditions that ask for attention.
    private func notes(_ paint: Paint) -> [String] {
        Conditions.troubling(status?["conditions"]).map { condition in
            let kind = condition["type"]?.text ?? ""
            let reason = condition["reason"]?.text ?? ""
            let age = Words.age(of: condition["last_transition_time"], at: now)
            return paint("! ", .yellow) + "\(kind) (\(reason), \(age)): "
                + (condition["message"]?.text ?? "").visibleLine
        }
    }

    private func footer(_ paint: Paint) -> String {
        let endpoint = status?["endpoint"]
        let isWell = status?["status"]?.text == "healthy"
        let lines = [
            ("endpoint", endpoint?["url"]?.text),
            ("try", isWell ? endpoint?["curl"]?.text : nil),
            ("next", isWell ? "penstock logs \(name) -f" : "penstock why \(name)"),
        ]
        return lines.compactMap { label, text in
            text.map { paint(label.padded(to: 10), .dim) + $0 }
        }.joined(separator: "\n")
    }
}

/// Which conditions are not as one would want them.
enum Conditions {
    private static let goodWhenFalse: Set<String> = ["Degraded", "ControlPlaneReadOnly"]
    /// Facts rather than states of health.
    private static let neutral: Set<String> = [
        "Progressing", "ScalingActive", "DriftOk", "MonitoringEnabled",
    ]

    static func troubling(_ conditions: JSONValue?) -> [JSONValue] {
        (conditions?.list ?? []).filter { condition in
            let kind = condition["type"]?.text ?? ""
            let truth = condition["status"]?.text
            if kind == "Progressing" { return condition["reason"]?.text == "OperationFailed" }
            if neutral.contains(kind) { return false }
            return truth == (goodWhenFalse.contains(kind) ? "True" : "False")
        }
    }
}
