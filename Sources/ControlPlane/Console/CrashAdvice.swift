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
        [cause] + [retry, rollback].compactMap(\.self)
            + ["all it said: penstock logs \(name) --replica \(replica)\(run)"]
    }

    /// On a replica rather than a dossier: what there is to say of a program that never ran.
    var adviceOnStart: [String] { [cause] + [retry, rollback].compactMap(\.self) }

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
            return "give it more memory: penstock set \(name) memory=\(moreMemory)MiB"
        }
        if has("exec format error") {
            return "what it is to run is no program of this machine: a script begins with a line "
                + "such as #!/bin/sh, a binary is made for this processor; see its command: "
                + "penstock get \(name) command"
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
            return "a file or program it needs is missing or unreadable; look at 'command' and "
                + "'artifact': penstock get \(name)"
        }
        if has("nothing listens") {
            return "it runs and does not listen where it is told, at {address} or {port}: "
                + "penstock edit \(name)"
        }
        if has("not ready", "health", "deadline", "did not answer") {
            return "it starts and is never ready: check load_balancer.health_check_path, or allow "
                + "more time: penstock set \(name) lifecycle.start_deadline_seconds=\(moreTime)"
        }
        if has("cuda", "nvidia") { return "check GPUs and driver: penstock nodes" }
        if has("sigsegv", "sigabrt", "sigbus", "sigill") {
            return "the program itself crashed; its own words are what there is, for no core is "
                + "written: to see more, run its command by hand"
        }
        return "mend what it complains of; where that is its command or its variables: "
            + "penstock edit \(name)"
    }

    /// Twice the limit, and half as much again as was seen: what is over its limit when it is
    /// looked at may be far over it.
    private var moreMemory: Int64 {
        let limit = report.deployment[path: ["spec", "resources", "memory"]]?.number ?? 0
        let seen = dossier["memory_max"]?.number ?? 0
        let more = max(limit * 2, seen * 1.5) / 1_048_576
        return more > 0 ? Int64((more / 64).rounded(.up)) * 64 : 2048
    }

    private var moreTime: String {
        let path = ["spec", "lifecycle", "start_deadline_seconds"]
        return Words.number((report.deployment[path: path]?.number ?? 600) * 2, 0)
    }

    /// A deployment that is given up, rather than tried on, waits to be told.
    private var retry: String? {
        report.word == "failed" ? "once that is mended: penstock start \(name)" : nil
    }

    /// What crashes is what is to run; else the change that made it has been taken back.
    private var isWanted: Bool { dossier["revision"]?.whole == report.status?["revision"]?.whole }

    /// Only while what crashes is wanted, and something else has run.
    private var rollback: String? {
        guard isWanted, report.revisions.count > 1, !report.isWell else { return nil }
        return "or go back to what ran before: penstock rollback \(name)"
    }
}
