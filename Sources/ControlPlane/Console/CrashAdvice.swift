// What to try after a replica has crashed. A model server is somebody else's program: all there is
// to go by is how it ended and what it said last, so this reads words, as a person would, and only
// ever suggests.

package import Notation

package struct CrashAdvice {
    var dossier: JSONValue
    var report: WhyReport

    /// The last lines that say something, standard error before standard output.
    package static func lastWords(_ dossier: JSONValue, atMost most: Int = 4) -> [String] {
        let lists = [dossier["last_error"], dossier["last_out"]].map { value in
            (value?.list ?? []).compactMap(\.text).filter { !$0.trimmed.isEmpty }
        }
        let lines = lists.first { !$0.isEmpty } ?? []
        // A usage text behind an error says less than the error.
        let telling = lines.first.map { _ in lines.firstIndex { $0.lowercased().contains("error") }
        }
        let start = telling.flatMap(\.self) ?? max(0, lines.count - most)
        return lines.dropFirst(start).prefix(most).map { $0.cut(to: 160) }
    }

    var advice: [String] {
        [cause] + [rollback].compactMap(\.self)
            + ["all it said: penstock logs \(name) --replica \(replica)\(run)"]
    }

    private var name: String { report.name }
    private var replica: String { dossier["replica"]?.text ?? "REPLICA" }

    /// The run that crashed; the present one may be another by now.
    private var run: String { dossier["run"].map { " --run \(Words.number($0))" } ?? "" }

    private var said: String {
        let lines = [dossier["last_error"], dossier["last_out"]].flatMap { $0?.list ?? [] }
        return ([dossier["cause"]?.text ?? ""] + lines.compactMap(\.text))
            .joined(separator: "\n").lowercased()
    }

    private func has(_ words: String...) -> Bool { words.contains { said.contains($0) } }

    private var cause: String {
        if has("memory limit", "out of memory", "oom", "cannot allocate") {
            let bytes = report.deployment[path: ["spec", "resources", "memory"]]?.number ?? 0
            let more = bytes > 0 ? Int64(bytes / 1_048_576 * 2) : 2048
            return "give it more memory: penstock set \(name) memory=\(more)MiB"
        }
        if has("unknown option", "unrecognized", "usage:", "unexpected argument") {
            return isWanted
                ? "it refuses its arguments; mend 'command' or 'args': penstock edit \(name)"
                : "it refuses its arguments; mend 'command' or 'args' before you try again"
        }
        if has("address already in use", "address in use") {
            return "it must listen where it is told, at {address} or {port}: penstock edit \(name)"
        }
        if has("no module named", "modulenotfounderror", "importerror", "cannot open shared") {
            return "a library is missing where it runs: install it, or mend 'command' and 'env'"
        }
        if has("no such file", "not found", "permission denied", "code 127", "code 126") {
            return "a file or program it needs is missing or unreadable: check 'command' and "
                + "'artifact' with penstock get \(name)"
        }
        if has("nothing listens") {
            return "it runs and does not listen where it is told, at {address} or {port}: "
                + "penstock edit \(name)"
        }
        if has("not ready", "health", "deadline", "did not answer") {
            return "it starts and is never ready: check load_balancer.health_check_path, or allow "
                + "more time: penstock set \(name) lifecycle.start_deadline_seconds=…"
        }
        if has("cuda", "nvidia") { return "check GPUs and driver: penstock nodes" }
        if has("sigsegv", "sigabrt", "sigbus", "sigill") {
            return "the program itself crashed; its own words and its core are what there is"
        }
        return "mend what it complains of, then: penstock edit \(name), or penstock start \(name)"
    }

    /// What crashes is what is to run; else the change that made it has been taken back.
    private var isWanted: Bool { dossier["revision"]?.whole == report.status?["revision"]?.whole }

    /// Only while what crashes is wanted, and something else has run.
    private var rollback: String? {
        guard isWanted, report.revisions.count > 1, !report.isWell else { return nil }
        return "or go back to what ran before: penstock rollback \(name)"
    }
}
