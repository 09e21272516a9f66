// What a path asks for, which address is meant, how long a duration is.

import HTTPTypes
import Testing

import struct penstock_model.Artifact
import enum penstock_model.DurationText
import enum penstock_model.InferenceError
import enum penstock_model.ListenAddress
import struct penstock_model.Network
import enum penstock_model.OpenInferencePath

@Suite struct OpenInferencePathTests {
    private static let artifact = Artifact(
        name: "iris", version: "v1", features: ["x"], labels: ["a", "b"],
        network: Network(mean: [0], deviation: [1], layers: []), examples: [],
        training: .init(
            data: "", rows: 0, seed: 0, epochs: 0, trainingAccuracy: 0, heldOutAccuracy: 0))

    @Test(arguments: [
        ("/v2", OpenInferencePath.server), ("/v2/", .server), ("/v2/health/live", .live),
        ("/v2/health/ready", .ready), ("/v2/models/iris", .model),
        ("/v2/models/iris/versions/v1", .model), ("/v2/models/iris/ready", .modelReady),
        ("/v2/models/%69ris/versions/v1/infer", .infer), ("/v2/models/iris/infer", .infer),
    ])
    func `the protocol's paths are known`(path: String, meaning: OpenInferencePath) throws {
        #expect(try OpenInferencePath(path, artifact: Self.artifact) == meaning)
    }

    @Test(arguments: [
        "/", "/v1/models/iris", "/v2/models", "/v2/models/rose", "/v2/models/iris/versions/v2",
        "/v2/models/iris/versions", "/v2/models/iris/train", "/v2/models/iris/infer/x",
    ])
    func `anything else is not found`(path: String) {
        let error = #expect(throws: InferenceError.self) {
            try OpenInferencePath(path, artifact: Self.artifact)
        }
        #expect(error?.status == 404)
    }

    @Test func `infer takes POST only, the rest GET and HEAD`() throws {
        try OpenInferencePath.infer.check(method: .post)
        try OpenInferencePath.ready.check(method: .head)
        #expect(throws: InferenceError.methodNotAllowed(allowed: "POST")) {
            try OpenInferencePath.infer.check(method: .get)
        }
        #expect(throws: InferenceError.methodNotAllowed(allowed: "GET, HEAD")) {
            try OpenInferencePath.ready.check(method: .post)
        }
    }

    @Test func `addresses are read as typed`() {
        #expect(ListenAddress("127.0.0.1:0") == .internet(host: "127.0.0.1", port: 0))
        #expect(ListenAddress("[::1]:9001") == .internet(host: "::1", port: 9001))
        #expect(ListenAddress("unix:/run/a.sock") == .unix(path: "/run/a.sock"))
    }

    @Test(arguments: [
        "", "localhost", ":80", "a:b", "a:65536", "::1:80", "unix:", "unix:run/a.sock",
        "unix:/" + String(repeating: "a", count: 107),
    ])
    func `what is no address is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(arguments: [("20ms", 20), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)])
    func `durations carry their unit`(text: String, milliseconds: Int) {
        #expect(DurationText.duration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "20", "ms", "-1s", "nans", "infs", "1d", "1e9h"])
    func `a duration without sense is refused`(text: String) {
        #expect(DurationText.duration(text) == nil)
    }
}
