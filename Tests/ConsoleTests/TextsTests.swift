// Words for people: ages, sizes, YAML, help, plans and the explanation of what is wrong.
// Each text is held whole, for it is read whole.

import Console
import Notation
import Testing

struct TextsTests {
    @Test(arguments: [
        (0.0, "0s"), (59, "59s"), (60, "1m"), (125, "2m 5s"), (600, "10m"), (7199, "119m"),
        (7200, "2h"), (172_799, "47h"), (172_800, "2d"), (-5, "0s"),
    ])
    func `an age has one unit`(seconds: Double, text: String) {
        #expect(Words.age(seconds) == text)
    }

    @Test(arguments: [
        (0.0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"),
        (536_870_912, "512 MiB"), (1_073_741_824, "1 GiB"),
    ])
    func `a size has the unit that suits it`(bytes: Double, text: String) {
        #expect(Words.bytes(bytes) == text)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0.0), ("2026-01-31T09:30:00.125Z", 1_769_851_800.125),
        ("2000-02-29T23:59:59Z", 951_868_799),
    ])
    func `a moment is read as the API writes it`(text: String, seconds: Double) {
        #expect(Words.seconds(of: text) == seconds)
        #expect(Words.seconds(of: "yesterday") == nil)
    }

    @Test func `ids of tokens are cut in sentences`() {
        let text = "update by token:01M7YTYCEP5JXR7XKCS52RRSFH: done"
        #expect(Words.shortened(text) == "update by token:…2RRSFH: done")
        #expect(Words.shortened("token:admin") == "token:admin")
    }

    @Test func `yaml quotes what would be read as something else`() {
        let value = JSONValue.object([
            "name": "iris", "version": "2", "yes": "yes", "empty": "", "note": "a: b",
            "size": "512MiB", "time": "1.5h", "hex": "0x1", "date": "2026-01-31",
            "count": 2, "on": true, "command": .texts(["run", "--listen", "{address}"]),
            "env": .object(["A": "1"]), "none": .object([JSONValue.Member]()),
            "steps": .array([1, .object(["a": 1, "b": .texts(["c"])])]),
        ])
        #expect(
            YAMLText.text(value) == """
                name: iris
                version: "2"
                "yes": "yes"
                empty: ""
                note: "a: b"
                size: 512MiB
                time: 1.5h
                hex: "0x1"
                date: "2026-01-31"
                count: 2
                "on": true
                command: [run, "--listen", "{address}"]
                env:
                  A: "1"
                none: {}
                steps:
                  - 1
                  - a: 1
                    b: [c]

                """)
    }

    @Test func `a document leaves out what is as it would be anyway`() throws {
        let view = JSONValue.object([
            "spec": .object([
                "name": "iris", "description": "", "version": "v1",
                "resources": .object(["cpu": 1, "memory": 536_870_912, "gpu": 0]),
                "scaling_config": .object(["min_replicas": 2, "max_replicas": 2]),
                "load_balancer": .object(["algorithm": "round_robin", "health_check_interval": 2]),
            ])
        ])
        #expect(
            SpecText.document(view, withDefaults: false).compact
                == #"{"name":"iris","version":"v1","resources":{"cpu":1,"memory":"512MiB"},"#
                + #""replicas":2,"load_balancer":{"health_check_interval":2}}"#)
        let all = SpecText.document(view, withDefaults: true)
        #expect(all[path: ["load_balancer", "algorithm"]] == "round_robin")
    }

    @Test func `a plan tells differences and consequences`() {
        let plan = JSONValue.object([
            "differences": .array([
                .object([
                    "field": "resources.memory", "from": 536_870_912, "to": 1_073_741_824,
                    "edit": "restart",
                ]), .object(["field": "env.A", "to": "b", "edit": "restart"]),
                .object([
                    "field": "args", "from": .texts([]), "to": .texts(["x y"]), "edit": "live",
                ]),
            ]), "makes_revision": true, "replaced_replicas": 2,
            "replicas": .object(["now": 2, "after": 2, "peak": 3]), "fits": false,
            "reasons": .texts(["no GPU is free"]), "expected_seconds": .number(0.49),
            "expected_basis": "learned",
        ])
        #expect(
            PlanText.lines(plan, .plain) == [
                "~ resources.memory: 512 MiB → 1 GiB   (new replicas)",
                "+ env.A: b   (new replicas)", "~ args: none → \"x y\"   (live)",
                "makes a new revision", "replaces 2 replicas, up to 3 at a time",
                "takes about 0.5s (learned)", "does not fit: no GPU is free",
            ])
    }

    @Test func `help begins with examples`() {
        let text = """
            OVERVIEW: Scale it.

            More words.

            USAGE: penstock scale iris 6
                   penstock scale iris --auto

            WHERE THE GATEWAY IS:
              --server  There.

            OPTIONS:
              --auto    Give it back.

            LOOK SUBCOMMANDS:
              status    How it is.
            """
        #expect(
            HelpText.arranged(text, width: 80) == """
                Scale it.

                EXAMPLES:
                  penstock scale iris 6
                  penstock scale iris --auto

                More words.

                OPTIONS:
                  --auto    Give it back.

                LOOK:
                  status    How it is.

                WHERE THE GATEWAY IS:
                  --server  There.
                """)
        #expect(HelpText.arranged("Error: no", width: 80) == "Error: no")
    }

    @Test func `an operation is one line, at work and done`() {
        var operation = JSONValue.object([
            "deployment": "iris", "action": "update_model", "state": "running",
            "created_at": "2026-01-31T09:30:00.000Z",
            "progress": .object(["done": 1, "total": 4, "message": "1 of 2 ready"]),
        ])
        let now = Words.seconds(of: "2026-01-31T09:30:12.000Z") ?? 0
        #expect(
            OperationText.progress(operation, at: now)
                == "iris: update model  ██░░░░░░░░ 1/4  1 of 2 ready  12s")
        operation = operation.setting("state", to: "failed").setting("rolled_back", to: true)
            .setting("error", to: .object(["message": "nothing got ready"]))
            .setting("finished_at", to: "2026-01-31T09:30:08.000Z")
        #expect(
            OperationText.outcome(operation, .plain)
                == "✗ iris: update model failed after 8s: nothing got ready; rolled back, "
                + "the revision before serves")
    }
}
