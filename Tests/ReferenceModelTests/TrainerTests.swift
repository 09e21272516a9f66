// Training is repeatable and good; what it writes is read back, and what is damaged is refused.
// The model that comes of it is ready only once it has shown that it still gives its answers.

import Foundation
import Testing

import struct penstock_model.Artifact
import enum penstock_model.ArtifactError
import struct penstock_model.Demonstration
import class penstock_model.ModelState
import struct penstock_model.Network
import struct penstock_model.Trainer
import enum penstock_model.TrainingError
import struct penstock_model.TrainingTable

@Suite struct TrainerTests {
    /// Two clouds on either side of x = y, and a third far off.
    private static let text =
        "x,y,kind\n"
        + (0..<40).map { index in
            let step = Double(index) / 10
            return switch index % 3 {
            case 0: "\(step),\(step + 1),above"
            case 1: "\(step + 1),\(step),below"
            default: "\(step - 20),\(step),far"
            }
        }.joined(separator: "\n")

    @Test(arguments: [0, 4])
    func `three separable clouds are told apart, the same way each time`(hidden: Int) throws {
        let table = try TrainingTable(parsing: Self.text)
        let trainer = Trainer(hidden: hidden, epochs: 200, seed: 7)

        let network = trainer.train(table.rows, labels: table.labels.count)

        #expect(Trainer.accuracy(network, on: table.rows) > 0.95)
        #expect(trainer.train(table.rows, labels: table.labels.count) == network)
        #expect(abs(network.probabilities([1, 2]).reduce(0, +) - 1) < 1e-12)
    }

    @Test(arguments: [
        ("", "a header line"), ("a,b", "at least two different labels"),
        ("x,kind\n1", "line 2"), ("x,kind\n1,a\nz,b", "line 3"), ("x,kind\nnan,a", "line 2"),
        ("x,kind\n1,2,a", "line 2"), ("x,kind\n1,", "line 2"),
    ])
    func `data that are no table are refused by line`(text: String, reason: String) {
        let error = #expect(throws: TrainingError.self) { try TrainingTable(parsing: text) }
        #expect(error?.description.contains(reason) == true)
    }

    @Test func `an artifact survives being written and read`() throws {
        let artifact = Self.artifact()
        #expect(try Artifact(decoding: artifact.encoded()) == artifact)
    }

    @Test(arguments: [
        ("\"penstock-classifier/1\"", "\"pickle\"", "format"),
        ("0.5,", "", "network.layers[0]"),
        ("\"softmax\"", "\"tanh\"", "activation"),
        ("\"deviation\":[1,1]", "\"deviation\":[1,0]", "deviation"),
        ("\"mean\":[0,0]", "\"mode\":[0,0]", "network.mean: is missing"),
        ("\"label\":\"a\"", "\"label\":\"c\"", "examples[0]"),
    ])
    func `a damaged artifact is refused by place`(
        part: String, replacement: String, reason: String
    ) throws {
        let whole = String(decoding: try Self.artifact().encoded(), as: UTF8.self)
        let text = whole.filter { !$0.isWhitespace }
        let damaged = text.replacing(part, with: replacement, maxReplacements: 1)
        #expect(damaged != text)

        let error = #expect(throws: ArtifactError.self) {
            try Artifact(decoding: Data(damaged.utf8))
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "read")")
    }

    @Test func `a model is not ready, and infers nothing, until its examples came out right`()
        async throws
    {
        let state = ModelState(
            artifact: Self.artifact(), demonstration: Demonstration(), concurrency: nil)
        #expect(!state.isReady)
        await #expect(throws: (any Error).self) { try await state.infer([[3, 0]]) }

        try state.warmUp()

        #expect(state.isReady)
        #expect(try await state.infer([[3, 0]]).count == 1)
    }

    @Test func `weights that give another answer than the trainer got never become ready`() {
        var artifact = Self.artifact()
        artifact.examples[0].label = "b"
        let state = ModelState(
            artifact: artifact, demonstration: Demonstration(), concurrency: nil)

        #expect(throws: ArtifactError.self) { try state.warmUp() }
        #expect(!state.isReady)
    }

    @Test func `more requests than slots all get their turn`() async throws {
        let state = ModelState(
            artifact: Self.artifact(), demonstration: Demonstration(), concurrency: 2)
        try state.warmUp()

        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await state.infer([[3, 0]]).count } }
            return try await group.reduce(0, +)
        }
        #expect(answers == 50)
    }

    @Test func `a slot comes back after a failure on purpose`() async throws {
        let state = ModelState(
            artifact: Self.artifact(), demonstration: Demonstration(failureRate: 1),
            concurrency: 1)
        try state.warmUp()
        for _ in 0..<3 {
            await #expect(throws: (any Error).self) { try await state.infer([[3, 0]]) }
        }
    }

    @Test func `latency spreads either way and is never negative`() {
        let demonstration = Demonstration(
            latency: .milliseconds(20), jitter: .milliseconds(30), failureRate: 0.05)
        #expect(demonstration.delay(chance: 1) == .milliseconds(50))
        #expect(demonstration.delay(chance: -1) == .zero)
        #expect(demonstration.fails(chance: 0.049))
        #expect(!demonstration.fails(chance: 0.05))
    }

    private static func artifact() -> Artifact {
        let network = Network(
            mean: [0, 0], deviation: [1, 1],
            layers: [
                .init(
                    weights: [[0.5, -0.25], [-0.75, 0.125]], bias: [0, 0], activation: .softmax)
            ])
        return Artifact(
            name: "clouds", version: "v1", features: ["x", "y"], labels: ["a", "b"],
            network: network, examples: [.init(features: [3, 0], label: "a")],
            training: .init(
                data: "clouds.csv", rows: 1, seed: 7, epochs: 1, trainingAccuracy: 1,
                heldOutAccuracy: 1))
    }
}
