// Trouble on request: latency and failures added to each inference, for demonstrations and tests.

package struct Demonstration: Sendable, Equatable {
    package var latency: Duration
    /// Spread of the latency, either way.
    package var jitter: Duration
    /// Share of inferences answered with 500, 0...1.
    package var failureRate: Double

    package init(
        latency: Duration = .zero, jitter: Duration = .zero, failureRate: Double = 0
    ) {
        self.latency = latency
        self.jitter = jitter
        self.failureRate = failureRate
    }

    /// Waits and fails as asked.
    func act() async throws {
        let delay = delay(chance: .random(in: -1...1))
        if delay > .zero { try await Task.sleep(for: delay) }
        if fails(chance: .random(in: 0..<1)) { throw InferenceError.demonstration }
    }

    /// - Parameter chance: -1...1.
    package func delay(chance: Double) -> Duration {
        max(.zero, latency + jitter * chance)
    }

    /// - Parameter chance: 0..<1.
    package func fails(chance: Double) -> Bool {
        chance < failureRate
    }
}
