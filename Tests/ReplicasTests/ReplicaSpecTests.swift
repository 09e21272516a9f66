// Places in commands, the environment a replica gets, what makes two specs run the same, and what
// of a command line may be shown.

import Replicas
import Testing

@Suite struct ReplicaSpecTests {
    private var spec: ReplicaSpec {
        ReplicaSpec(
            name: "iris-r2-1", deployment: "iris", revision: 2, model: "m", version: "v2",
            command: ["serve"], artifact: "/a.json")
    }

    private let unix = RunPlaces(address: .unix(path: "/run/s"))
    private let tcp = RunPlaces(address: .tcp(host: "127.0.0.1", port: 20_001))

    @Test(arguments: [
        ("{address}", "unix:/run/s"), ("--model={artifact}", "--model=/a.json"),
        ("{name}/{replica}", "iris-r2-1/iris-r2-1"), ("{deployment}@{revision}", "iris@2"),
        ("{model}:{version}", "m:v2"), ("{\"a\": {address}}", "{\"a\": unix:/run/s}"),
        ("{unknown} {", "{unknown} {"), ("{{address}}", "{unix:/run/s}"), ("", ""),
    ])
    func `places are filled, other braces stay`(text: String, expected: String) {
        #expect(spec.filled(text, unix) == expected)
    }

    @Test func `a value that looks like a place is not filled again`() {
        var spec = spec
        spec.artifact = "{address}"
        #expect(spec.filled("{artifact}", unix) == "{address}")
    }

    @Test func `who asks for a port gets one, and only then`() {
        var spec = spec
        #expect(!spec.wantsPort)
        spec.environment = ["BIND": "{host}:{port}"]
        #expect(spec.wantsPort)
        #expect(spec.filled("{host} {port} {address}", tcp) == "127.0.0.1 20001 127.0.0.1:20001")
        #expect(spec.filled("{port}", unix) == "{port}")
    }

    @Test func `secrets of penstock are not handed on`() {
        var spec = spec
        spec.environment = ["WEIGHTS": "{artifact}", "PATH": "/own", "PENSTOCK_TOKEN": "set"]
        let inherited = [
            "PENSTOCK_TOKEN": "x", "PENSTOCK_SERVER": "y", "NOTIFY_SOCKET": "/s", "PATH": "/bin",
            "HOME": "/h",
        ]

        let variables = spec.variables(inherited: inherited, unix)

        #expect(variables["PENSTOCK_SERVER"] == nil)
        #expect(variables["NOTIFY_SOCKET"] == nil)
        #expect(variables["PENSTOCK_TOKEN"] == "set")
        #expect(variables["HOME"] == "/h")
        #expect(variables["PATH"] == "/own")
        #expect(variables["WEIGHTS"] == "/a.json")
        #expect(variables["PENSTOCK_ADDRESS"] == "unix:/run/s")
        #expect(variables["PENSTOCK_REVISION"] == "2")
        #expect(variables["PENSTOCK_MODEL_VERSION"] == "v2")
        #expect(variables["PENSTOCK_PORT"] == nil)
        #expect(spec.variables(inherited: [:], tcp)["PENSTOCK_PORT"] == "20001")
    }

    @Test func `where GPUs are given out, a replica without any sees none`() {
        let without = RunPlaces(address: .unix(path: "/s"), assignsGPUs: true)
        let two = RunPlaces(
            address: .unix(path: "/s"), gpus: ["GPU-a", "GPU-b"], assignsGPUs: true)
        #expect(spec.variables(inherited: [:], without)["CUDA_VISIBLE_DEVICES"] == "")
        #expect(spec.variables(inherited: [:], two)["CUDA_VISIBLE_DEVICES"] == "GPU-a,GPU-b")
        #expect(spec.variables(inherited: [:], unix)["CUDA_VISIBLE_DEVICES"] == nil)
    }

    @Test func `a digest is of what runs, not of its name`() {
        var renamed = spec
        renamed.name = "iris-r3-9"
        renamed.revision = 3
        #expect(renamed.digest == spec.digest)
        #expect(spec.digest.count == 64)

        var changed = [spec, spec, spec, spec, spec]
        changed[0].command.append("-v")
        changed[1].environment["A"] = "b"
        changed[2].resources.memoryBytes = 1
        changed[3].artifact = "/b.json"
        changed[4].version = "v3"
        #expect(Set(changed.map(\.digest) + [spec.digest]).count == 6)
    }

    @Test(arguments: [
        (["a", "--token", "abc"], ["a", "--token", "[redacted]"]),
        (["--api-key=abc", "--port=1"], ["--api-key=[redacted]", "--port=1"]),
        (["--password", "--verbose"], ["--password", "--verbose"]),
        (["http://joe:pw@host/x"], ["http://[redacted]@host/x"]),
        (
            ["--tokenizer", "bert", "--max-tokens", "9"],
            ["--tokenizer", "bert", "--max-tokens", "9"]
        ),
        (["x=hunter22"], ["x=[redacted]"]), (["pre-hunter22-post"], ["pre-[redacted]-post"]),
    ])
    func `secrets do not show in a command line`(line: [String], expected: [String]) {
        var spec = spec
        spec.environment = ["QUIET": "hunter22", "LEVEL": "info"]
        spec.secrets = ["QUIET"]
        #expect(Redaction(spec: spec).commandLine(line) == expected)
    }

    @Test func `variables that are named as secrets are secrets`() {
        var spec = spec
        spec.environment = ["HF_TOKEN": "hf_abcdef", "MODE": "verbose"]
        let line = Redaction(spec: spec).commandLine(["--hub=hf_abcdef", "verbose"])
        #expect(line == ["--hub=[redacted]", "verbose"])
    }
}
