// The model as the server holds it: the artifact, whether it is warm, and the slots that limit how
// many inferences run at once. Requests beyond the slots wait in order; too many are refused.

import Synchronization

package final class ModelState: Sendable {
    package let artifact: Artifact
    package let demonstration: Demonstration
    private let isWarm = Atomic(false)
    private let slots: Slots?

    package init(artifact: Artifact, demonstration: Demonstration, concurrency: Int?) {
        self.artifact = artifact
        self.demonstration = demonstration
        slots = concurrency.map(Slots.init(count:))
    }

    package var isReady: Bool { isWarm.load(ordering: .acquiring) }

    /// Replays the artifact's examples; only then is the model ready.
    package func warmUp() throws(ArtifactError) {
        for (index, example) in artifact.examples.enumerated() {
            let answer = artifact.label(of: artifact.network.probabilities(example.features))
            guard answer == example.label else {
                throw .exampleFailed(index: index, expected: example.label, got: answer)
            }
        }
        isWarm.store(true, ordering: .releasing)
    }

    /// The probabilities of each label for each row, within a slot.
    package func infer(_ rows: [[Double]]) async throws -> [[Double]] {
        guard isReady else { throw InferenceError.loading }
        try await slots?.take()
        do {
            try await demonstration.act()
        } catch {
            await slots?.give()
            throw error
        }
        let answers = rows.map { artifact.network.probabilities($0) }
        await slots?.give()
        return answers
    }
}

extension Artifact {
    package func label(of probabilities: [Double]) -> String {
        let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
        return labels[best]
    }
}

/// A counting semaphore for tasks, first come, first served.
private actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) {
        free = count
    }

    func take() async throws(InferenceError) {
        if free > 0 {
            free -= 1
            return
        }
        guard waiting.count < Limits.waiting else { throw .overloaded }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the slot on rather than freeing it, so that nobody overtakes.
    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
