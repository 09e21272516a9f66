// `penstock why NAME`: what is wrong with a deployment, how that is known, and what to type. Pure:
// the answers of the API go in, a text comes out. The most telling fact comes first.

package import Notation

package struct WhyReport: Sendable {
    /// One thing that is wrong, or worth knowing.
    struct Finding: Sendable, Equatable {
        var sentence: String
        var details: [String] = []
        var advice: [String] = []

        /// What a terminal may be shown.
        fileprivate var visible: Finding {
            Finding(
                sentence: sentence.visibleLine, details: details.map(\.visibleLine),
                advice: advice.map(\.visibleLine))
        }
    }

    package var deployment: JSONValue
    package var replicas: [JSONValue] = []
    package var operations: [JSONValue] = []
    package var dossiers: [JSONValue] = []
    package var events: [JSONValue] = []
    package var warnings: [JSONValue] = []
    package var revisions: [JSONValue] = []
    /// The last lines of the replica that is worst off, and its name.
    package var lastLines: (replica: String, lines: [String])?
    package var now: Double

    /// What is older does not explain the present.
    static let recentSeconds = 3600.0

    package init(deployment: JSONValue, now: Double) {
        self.deployment = deployment
        self.now = now
    }

    /// - Parameter width: columns of the terminal; nil breaks and cuts nothing.
    package func text(_ paint: Paint, width: Int? = nil) -> String {
        let found = findings.map(\.visible)
        var lines = [headline(paint)]
        if found.isEmpty {
            lines += ["", "Nothing is wrong with it."]
        } else {
            lines += ["", paint("what was found", .bold)]
            for finding in found {
                lines += Self.item(finding.sentence, width)
                lines += finding.details.map {
                    "      " + paint($0.cut(to: width.map { max(40, $0 - 6) }), .dim)
                }
            }
        }
        let history = history
        if !history.isEmpty {
            lines += ["", paint("what happened", .bold)]
            lines += history.map { "  " + $0.visibleLine.cut(to: width.map { max(40, $0 - 2) }) }
        }
        let advice = found.flatMap(\.advice).withoutRepeats
        if !advice.isEmpty {
            lines += ["", paint("what to do", .bold)]
            lines += advice.flatMap { Self.step($0, width, paint) }
        }
        return lines.joined(separator: "\n")
    }

    private static func item(_ text: String, _ width: Int?) -> [String] {
        let lines = width.map { text.wrapped(to: max(40, $0 - 4)) } ?? [text]
        return lines.enumerated().map { ($0.offset == 0 ? "  · " : "    ") + $0.element }
    }

    /// A command stands on a line of its own, to be copied whole.
    private static func step(_ advice: String, _ width: Int?, _ paint: Paint) -> [String] {
        guard let range = advice.firstRange(of: ": penstock ") else { return item(advice, width) }
        let command = "penstock " + advice[range.upperBound...]
        return item(advice[..<range.lowerBound] + ":", width) + ["      " + paint(command, .cyan)]
    }

    var name: String { Tables.name(deployment) }
    var status: JSONValue? { deployment["status"] }
    var word: String { status?["status"]?.text ?? "?" }
    var isWell: Bool { word == "healthy" }

    private func headline(_ paint: Paint) -> String {
        let reason = status?["reason"]?.text ?? ""
        let age = Words.age(of: status?["since"], at: now)
        return "\(paint(name, .bold)) is \(paint(word, .of(state: word))) "
            + "(\(reason), for \(age)): \((status?["message"]?.text ?? "").visibleLine)"
    }

    var findings: [Finding] {
        [stopped, underWay, failedOperation, crash].compactMap(\.self) + stuck + troubles + byHand
            + lint
    }

    private var stopped: Finding? {
        guard status?["desired_state"]?.text == "stopped" else { return nil }
        let message = status?["stop_message"]?.text.map { "; clients are told: \($0)" } ?? ""
        let stop = operations.first { $0["action"]?.text == "stop" }
        let who = stop.map {
            " by \(Words.actor($0["created_by"])) "
                + "\(Words.age(of: $0["created_at"], at: now)) ago"
        }
        let reason = stop?["reason"]?.text.map { ": \($0)" } ?? ""
        return Finding(
            sentence: "it was stopped\(who ?? "")\(reason)\(message)",
            advice: ["to serve again: penstock start \(name)"])
    }

    private var underWay: Finding? {
        guard let operation = operations.first(where: { $0["done"]?.boolean == false }) else {
            return nil
        }
        let id = operation["id"]?.text ?? ""
        return Finding(
            sentence: "'\(operation["action"]?.text ?? "?")' has been at work for "
                + "\(Words.age(of: operation["created_at"], at: now)): "
                + (operation[path: ["progress", "message"]]?.text ?? ""),
            advice: [
                "to see it through: penstock operations wait \(id)",
                "to end it early: penstock operations cancel \(id)",
            ])
    }

    /// The last one, if it failed and nothing has come after it.
    private var failedOperation: Finding? {
        guard let operation = operations.first, operation["state"]?.text == "failed",
            isRecent(operation["finished_at"])
        else { return nil }
        let action = (operation["action"]?.text ?? "?").replacing("_", with: " ")
        let back = operation["rolled_back"]?.boolean == true
        var finding = Finding(
            sentence: "the last \(action) failed "
                + "\(Words.age(of: operation["finished_at"], at: now)) ago: "
                + (operation[path: ["error", "message"]]?.text ?? "")
                + (back ? "; the revision before serves as before" : ""))
        if back { finding.advice = ["nothing has to be done at once: it serves as before"] }
        if let from = operation["from_revision"]?.whole, let to = operation["to_revision"]?.whole,
            from != to
        {
            finding.advice += ["what it tried to change: penstock diff \(name) \(from) \(to)"]
        }
        return finding
    }

    private var crash: Finding? {
        guard let dossier = dossiers.first,
            !isWell || isRecent(dossier["ended_at"]) && !isOvercome(dossier)
        else { return nil }
        // A stop of what runs is no crash of what is stopped.
        if status?["desired_state"]?.text == "stopped" { return nil }
        let replica = dossier["replica"]?.text ?? "a replica"
        let count = dossiers.count { $0["replica"] == dossier["replica"] }
        var details = ["command  " + commandLine(dossier)]
        let words = CrashAdvice.lastWords(dossier)
        details += words.enumerated().map {
            ($0.offset == 0 ? "said     " : "         ") + $0.element
        }
        return Finding(
            sentence: "\(replica) of r\(Words.number(dossier["revision"])): "
                + "\(dossier["cause"]?.text ?? "it ended")"
                + (count > 1 ? ", \(count) times," : ",")
                + " last \(Words.age(of: dossier["ended_at"], at: now)) ago",
            details: details, advice: CrashAdvice(dossier: dossier, report: self).advice)
    }

    /// Something has worked since.
    private func isOvercome(_ dossier: JSONValue) -> Bool {
        let ended = dossier["ended_at"]?.text.flatMap(Words.seconds) ?? 0
        return operations.contains { operation in
            operation["state"]?.text == "succeeded"
                && (operation["created_at"]?.text.flatMap(Words.seconds) ?? 0) > ended
        }
    }

    private func commandLine(_ dossier: JSONValue) -> String {
        let words = (dossier["command_line"]?.list ?? []).compactMap(\.text)
        return words.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }
            .joined(separator: " ").cut(to: 160)
    }

    /// Replicas that wait for something, told once for all that wait for the same.
    private var stuck: [Finding] {
        let waiting = replicas.filter { $0["waiting_for"] != nil && !isCrashed($0) }
        let groups = Dictionary(grouping: waiting) { $0["waiting_for"]?.text ?? "" }
        return groups.sorted { $0.key < $1.key }.map { what, replicas in
            let names = replicas.map(Tables.name).joined(separator: ", ")
            let since = replicas.first?["since"]
            var finding = Finding(
                sentence: "\(names) \(replicas.count == 1 ? "waits" : "wait") for \(what), for "
                    + Words.age(of: since, at: now))
            if let lastLines, replicas.contains(where: { Tables.name($0) == lastLines.replica }) {
                finding.details = lastLines.lines.suffix(5).map { "\(lastLines.replica)  \($0)" }
            }
            finding.advice = ["what it says: penstock logs \(name) -f"]
            // A program that could not be started has said nothing and left no dossier.
            if let replica = replicas.first, let cause = replica["cause"]?.text {
                finding.sentence += "; last: \(cause)"
                finding.advice = CrashAdvice(dossier: replica, report: self).adviceOnStart
            }
            return finding
        }
    }

    private func isCrashed(_ replica: JSONValue) -> Bool {
        dossiers.contains { $0["replica"]?.text == Tables.name(replica) }
    }

    private var troubles: [Finding] {
        Conditions.troubling(status?["conditions"]).compactMap { condition in
            let kind = condition["type"]?.text ?? ""
            // Told above with its cause.
            if kind == "Progressing" || kind == "Available" { return nil }
            return Finding(
                sentence: "\(kind): \(condition["message"]?.text ?? "") "
                    + "(for \(Words.age(of: condition["last_transition_time"], at: now)))",
                advice: advice(for: kind))
        } + ejected
    }

    private func advice(for condition: String) -> [String] {
        let model = deployment[path: ["spec", "model"]]?.text ?? "MODEL"
        let version = deployment[path: ["spec", "version"]]?.text ?? "VERSION"
        switch condition {
        case "Degraded":
            return ["which replica it is: penstock status \(name)"]
        case "ArtifactVerified":
            return ["what is wrong with its files: penstock models verify \(model) \(version)"]
        case "CapacityOk": return ["what there is room for: penstock nodes"]
        case "ControlPlaneReadOnly":
            return ["make room on the disk of the state directory; traffic flows on meanwhile"]
        default: return []
        }
    }

    private var ejected: [Finding] {
        replicas.filter { $0["ejected"]?.boolean == true }.map { replica in
            Finding(
                sentence: "\(Tables.name(replica)) is out of the rotation because requests or "
                    + "checks failed on it",
                advice: [
                    "what it says: penstock logs \(name) --replica \(Tables.name(replica))",
                    "to replace it: penstock replicas restart \(name) \(Tables.name(replica))",
                ])
        }
    }

    private var byHand: [Finding] {
        guard let manual = status?["manual_scale"] else { return [] }
        let until = manual["until"].map { " until \(Words.moment($0))" } ?? " for good"
        let reason = manual["reason"]?.text.map { ": \($0)" } ?? ""
        return [
            Finding(
                sentence: "\(Words.number(manual["replicas"])) replicas were set by hand by "
                    + Words.actor(manual["by"]) + until + reason,
                advice: ["to give the number back: penstock scale \(name) --auto"])
        ]
    }

    private var lint: [Finding] {
        warnings.map { warning in
            let field = warning["field"]?.text.map { "\($0): " } ?? ""
            return Finding(
                sentence: "probably not meant: \(field)\(warning["message"]?.text ?? "")")
        }
    }

    /// The last events that are not the usual course of things.
    private var history: [String] {
        let usual: Set<String> = ["ReplicaReady", "ReplicaStarting", "ReplicaStopped"]
        let telling = events.filter { !usual.contains($0["reason"]?.text ?? "") }
        return telling.prefix(6).reversed().map { event in
            let count = event["count"]?.whole ?? 1
            return Words.clock(event["last_at"]).prefix(8) + "  "
                + Words.shortened(event["message"]?.text ?? "") + (count > 1 ? " (×\(count))" : "")
        }
    }

    func isRecent(_ time: JSONValue?) -> Bool {
        time?.text.flatMap(Words.seconds).map { now - $0 < Self.recentSeconds } ?? false
    }
}

extension [String] {
    fileprivate var withoutRepeats: [String] {
        var seen = Set<String>()
        return filter { seen.insert($0).inserted }
    }
}

extension WhyReport {
    /// The same for a program.
    package var json: JSONValue {
        let found = findings
        return .object([
            "deployment": .string(name), "status": .string(word),
            "reason": status?["reason"], "message": status?["message"],
            "findings": .array(
                found.map { finding in
                    .object([
                        "sentence": .string(finding.sentence), "details": .texts(finding.details),
                        "advice": .texts(finding.advice),
                    ])
                }), "history": .texts(history),
        ])
    }
}
