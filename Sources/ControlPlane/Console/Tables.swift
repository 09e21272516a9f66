// Lists as tables: one function a kind of thing, from the JSON of the API. What an answer does not
// say leaves its cell empty, so an older or newer gateway is read as well.

package import Notation

package enum Tables {
    package static func deployments(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable(
            "NAME", "STATUS", "READY", "MODEL", "ENVIRONMENT", "REV", "AGE", "MESSAGE")
        for item in items {
            let (spec, status) = (item["spec"], item["status"])
            let word = status?["status"]?.text ?? "?"
            table.add(
                .init(name(item), .bold), .init(word, .of(state: word)),
                .init(ready(status)), .init(model(spec)),
                .init(spec?["environment"]?.text ?? ""),
                .init(Words.number(status?["revision_in_force"] ?? status?["revision"])),
                .init(Words.age(of: item[path: ["metadata", "created_at"]], at: now)),
                .init(remark(status), .dim))
        }
        return table
    }

    /// What the other columns do not say already.
    private static func remark(_ status: JSONValue?) -> String {
        let message = status?["message"]?.text ?? ""
        let isPlain = status?["reason"]?.text == "Serving" && status?["operation"] == nil
        return isPlain ? "" : message
    }

    static func name(_ item: JSONValue) -> String {
        item[path: ["metadata", "name"]]?.text ?? item["name"]?.text ?? "?"
    }

    static func ready(_ status: JSONValue?) -> String {
        guard let target = status?["target_replicas"] ?? status?[path: ["replicas", "desired"]]
        else { return "" }
        return "\(Words.number(status?[path: ["replicas", "ready"]]))/\(Words.number(target))"
    }

    static func model(_ spec: JSONValue?) -> String {
        [spec?["model"]?.text, spec?["version"]?.text].compactMap(\.self).joined(separator: ":")
    }

    package static func replicas(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable(
            "REPLICA", "STATE", "REV", "AGE", "RESTARTS", "CPU", "MEMORY", "IN FLIGHT", "GPUS",
            "PID", "NOTE")
        for item in items {
            let state = state(of: item)
            table.add(
                .init(name(item)), .init(state, .of(state: state)),
                .init(Words.number(item["revision"])),
                .init(Words.age(of: item["started_at"], at: now)),
                .init(restarts(item)), .init(cores(item)), .init(memory(item)),
                .init(Words.number(item["in_flight"])),
                .init((item["gpus"]?.list ?? []).compactMap(\.text).joined(separator: ",")),
                .init(Words.number(item["process_id"])), .init(note(of: item)))
        }
        return table
    }

    static func state(of replica: JSONValue) -> String {
        let word = replica["state"]?.text ?? "?"
        if replica["ejected"]?.boolean == true { return "ejected" }
        if replica["drained"]?.boolean == true, word == "ready" { return "drained" }
        return word
    }

    private static func restarts(_ replica: JSONValue) -> String {
        (replica["restarts"]?.whole ?? 0) > 0 ? Words.number(replica["restarts"]) : ""
    }

    static func cores(_ replica: JSONValue) -> String {
        replica[path: ["usage", "cores"]]?.number.map { "\(Words.number($0 * 100, 0)) %" } ?? ""
    }

    static func memory(_ replica: JSONValue) -> String {
        replica[path: ["usage", "memory"]]?.number.map(Words.bytes) ?? ""
    }

    static func note(of replica: JSONValue) -> String {
        let waits = replica["waiting_for"]?.text.map { "waits for \($0)" }
        return [replica["cause"]?.text, waits].compactMap(\.self).joined(separator: "; ")
    }

    package static func revisions(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable(
            "REV", "", "CHANGE", "VERSION", "AGE", "BY", "DIGEST", "REASON")
        for item in items {
            let isCurrent = item["current"]?.boolean == true
            let back = item["rollback_of"].map { " to r\(Words.number($0))" } ?? ""
            table.add(
                .init("r" + Words.number(item["number"]), isCurrent ? .bold : nil),
                .init(isCurrent ? "current" : "", .green),
                .init((item["change"]?.text ?? "") + back), .init(item["version"]?.text ?? ""),
                .init(Words.age(of: item["created_at"], at: now)),
                .init(Words.actor(item["created_by"])),
                .init(String((item["digest"]?.text ?? "").prefix(12)), .dim),
                .init(item["reason"]?.text ?? ""))
        }
        return table
    }

    package static func operations(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable(
            "OPERATION", "DEPLOYMENT", "ACTION", "STATE", "STEPS", "AGE", "TOOK", "BY", "MESSAGE")
        for item in items {
            let state = item["state"]?.text ?? "?"
            let shown = item["rolled_back"]?.boolean == true ? "\(state), rolled back" : state
            let message = item[path: ["error", "message"]] ?? item[path: ["progress", "message"]]
            table.add(
                .init(item["id"]?.text ?? "?"), .init(item["deployment"]?.text ?? ""),
                .init(item["action"]?.text ?? ""), .init(shown, .of(state: state)),
                .init(steps(item)), .init(Words.age(of: item["created_at"], at: now)),
                .init(took(item)), .init(Words.actor(item["created_by"])),
                .init(message?.text ?? ""))
        }
        return table
    }

    private static func steps(_ operation: JSONValue) -> String {
        guard let total = operation[path: ["progress", "total"]]?.whole, total > 0 else {
            return ""
        }
        return "\(Words.number(operation[path: ["progress", "done"]]))/\(total)"
    }

    static func took(_ operation: JSONValue) -> String {
        guard let from = operation["created_at"]?.text.flatMap(Words.seconds),
            let to = operation["finished_at"]?.text.flatMap(Words.seconds)
        else { return "" }
        return Words.span(to - from)
    }

    package static func events(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable("AGE", "TYPE", "NAME", "REASON", "TIMES", "MESSAGE")
        for item in items {
            let isWarning = item["type"]?.text == "Warning"
            let count = item["count"]?.whole ?? 1
            table.add(
                .init(Words.age(of: item["last_at"], at: now)),
                .init(item["type"]?.text ?? "", isWarning ? .yellow : .dim),
                .init(item["name"]?.text ?? ""), .init(item["reason"]?.text ?? ""),
                .init(count > 1 ? "×\(count)" : ""),
                .init(Words.shortened(item["message"]?.text ?? "")))
        }
        return table
    }
}
