// What `why` finds: the most telling fact first, with what to type next.
// The answers it reads are those of the API, cut to what counts.

import Console
import Notation
import Testing

struct WhyReportTests {
    private let now = Words.seconds(of: "2026-01-31T10:00:00.000Z") ?? 0

    private func deployment(
        _ word: String, _ reason: String, _ message: String, desired: String = "running",
        more: JSONValue = .object([JSONValue.Member]())
    ) -> JSONValue {
        .object([
            "metadata": .object(["name": "iris"]),
            "spec": .object([
                "model": "iris", "version": "v1",
                "resources": .object(["memory": 536_870_912]),
            ]),
            "status": JSONValue.object([
                "status": .string(word), "reason": .string(reason), "message": .string(message),
                "desired_state": .string(desired), "since": "2026-01-31T09:57:00.000Z",
                "revision": 2,
            ]).merging(more),
        ])
    }

    private func dossier(_ cause: String, _ said: [String], revision: Int64 = 2) -> JSONValue {
        .object([
            "replica": "iris-3", "revision": .integer(revision), "run": 4, "cause": .string(cause),
            "ended_at": "2026-01-31T09:59:30.000Z",
            "command_line": .texts(["server", "--no-such"]), "last_out": .texts([]),
            "last_error": .texts(said),
        ])
    }

    @Test func `nothing is wrong with what is well`() {
        let report = WhyReport(
            deployment: deployment("healthy", "Serving", "2 of 2 replicas ready"), now: now)
        #expect(
            report.text(.plain) == """
                iris is healthy (Serving, for 3m): 2 of 2 replicas ready

                Nothing is wrong with it.
                """)
    }

    @Test func `a crash is told with its last words and a way out`() {
        var report = WhyReport(
            deployment: deployment("failed", "CrashLoop", "no replica stays up"), now: now)
        report.dossiers = [
            dossier("exited with code 2", ["Error: Unknown option '--no-such'", "Usage: …"]),
            dossier("exited with code 2", []),
        ]
        report.revisions = [.object(["number": 2]), .object(["number": 1])]
        let text = report.text(.plain)
        for line in [
            "  · iris-3 of r2: exited with code 2, 2 times, last 30s ago",
            "      command  server --no-such", "      said     Error: Unknown option '--no-such'",
            "  · it refuses its arguments; mend 'command' or 'args':\n      penstock edit iris",
            "  · or go back to what ran before:\n      penstock rollback iris",
            "  · all it said:\n      penstock logs iris --replica iris-3 --run 4",
        ] {
            #expect(text.contains(line), "\(line) in\n\(text)")
        }
    }

    @Test(arguments: [
        ("killed by SIGKILL; the memory limit of 512 MiB was reached", "memory=1024MiB"),
        ("exited with code 1; OSError: address already in use", "{address}"),
        ("exited with code 1; ModuleNotFoundError: No module named 'torch'", "library"),
        ("killed by SIGSEGV", "the program itself crashed"),
        ("could not run the program: Exec format error", "#!/bin/sh"),
        ("exited with code 9", "mend what it complains of"),
    ])
    func `the advice fits the cause`(cause: String, advice: String) {
        var report = WhyReport(deployment: deployment("failed", "CrashLoop", ""), now: now)
        report.dossiers = [dossier(cause, [])]
        #expect(report.text(.plain).contains(advice))
    }

    @Test func `more memory is more than what was seen`() {
        var report = WhyReport(deployment: deployment("failed", "CrashLoop", ""), now: now)
        let cause = "killed by SIGKILL; the memory limit of 512 MiB was reached"
        report.dossiers = [
            dossier(cause, []).merging(.object(["memory_max": .integer(1_500 << 20)]))
        ]
        #expect(report.text(.plain).contains("\n      penstock set iris memory=2304MiB\n"))
    }

    @Test(arguments: [
        "exited with code 9", "not ready", "no such file", "Exec format error", "unknown option",
        "address already in use", "out of memory", "cuda", "killed by SIGSEGV",
    ])
    func `a command that is advised can be typed as it stands`(cause: String) {
        for word in ["failed", "degraded"] {
            var report = WhyReport(deployment: deployment(word, "CrashLoop", ""), now: now)
            report.dossiers = [dossier(cause, [])]
            let text = report.text(.plain)
            let commands = text.split(separator: "\n").filter { $0.contains("penstock ") }
            #expect(commands.allSatisfy { $0.hasPrefix("      penstock ") }, "\(text)")
            #expect(commands.allSatisfy { !$0.contains(",") && !$0.contains("…") }, "\(text)")
            // Refused for what runs.
            #expect(text.contains("penstock start iris") == (word == "failed"))
        }
    }

    @Test func `a crash that has been overcome is not told`() {
        var report = WhyReport(
            deployment: deployment("healthy", "Serving", "2 of 2 replicas ready"), now: now)
        report.dossiers = [dossier("exited with code 2", [])]
        #expect(report.text(.plain).contains("exited with code 2"))
        report.operations = [
            .object([
                "state": "succeeded", "done": true, "created_at": "2026-01-31T09:59:40.000Z",
            ])
        ]
        #expect(report.text(.plain).contains("Nothing is wrong with it."))
    }

    @Test func `who stopped it and what clients are told`() {
        var report = WhyReport(
            deployment: deployment(
                "stopped", "Stopped", "stopped; start it to serve again", desired: "stopped",
                more: .object(["stop_message": "back at noon"])), now: now)
        report.operations = [
            .object([
                "action": "stop", "state": "succeeded", "done": true, "created_by": "token:a",
                "created_at": "2026-01-31T09:57:00.000Z", "reason": "disks",
            ])
        ]
        let text = report.text(.plain)
        #expect(
            text.contains(
                "it was stopped by token:a 3m ago: disks; clients are told: back at noon"))
        #expect(text.contains("to serve again:\n      penstock start iris"))
    }

    @Test func `replicas that wait, ejected ones and conditions are told`() {
        let condition = JSONValue.object([
            "type": "Degraded", "status": "True", "reason": "Errors",
            "message": "3 % of the requests failed",
            "last_transition_time":
                "2026-01-31T09:58:00.000Z",
        ])
        var report = WhyReport(
            deployment: deployment(
                "degraded", "Errors", "3 % of the requests failed",
                more: .object(["conditions": .array([condition])])), now: now)
        report.replicas = [
            .object([
                "name": "iris-1", "state": "loading", "ejected": false,
                "waiting_for": "the model to answer its health check",
                "since": "2026-01-31T09:55:00.000Z",
            ]), .object(["name": "iris-2", "state": "ready", "ejected": true]),
        ]
        report.lastLines = ("iris-1", ["loading weights"])
        let text = report.text(.plain)
        for part in [
            "iris-1 waits for the model to answer its health check, for 5m",
            "iris-1  loading weights", "Degraded: 3 % of the requests failed (for 2m)",
            "iris-2 is out of the rotation", "penstock replicas restart iris iris-2",
        ] {
            #expect(text.contains(part), "\(part) in\n\(text)")
        }
    }

    @Test func `a program that could not be started is told with what may be wrong with it`() {
        var report = WhyReport(
            deployment: deployment("provisioning", "Restarting", "is started anew"), now: now)
        report.replicas = [
            .object([
                "name": "iris-0", "state": "failed", "waiting_for": "the next start",
                "cause": "not started: could not run the program: Exec format error",
                "since": "2026-01-31T09:59:58.000Z",
            ])
        ]
        let text = report.text(.plain)
        #expect(text.contains("last: not started: could not run the program: Exec format error"))
        #expect(text.contains("#!/bin/sh") && text.contains("penstock get iris command"))
    }

    @Test func `a narrow terminal breaks sentences and cuts what is quoted`() {
        var report = WhyReport(deployment: deployment("failed", "CrashLoop", "x"), now: now)
        report.dossiers = [dossier("exited with code 1", [String(repeating: "long ", count: 40)])]
        let text = report.text(.plain, width: 60)
        #expect(text.split(separator: "\n").allSatisfy { String($0).columns <= 60 })
    }

    @Test func `json has the same findings`() {
        var report = WhyReport(deployment: deployment("failed", "CrashLoop", "x"), now: now)
        report.dossiers = [dossier("exited with code 2", [])]
        let json = report.json
        #expect(json["status"] == "failed" && json["findings"]?.list.count == 1)
    }
}
