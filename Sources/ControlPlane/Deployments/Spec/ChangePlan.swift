// What a change will do, told before it is done: what differs, whether replicas are replaced,
// whether it fits, how long it takes, and what to beware of.

package struct ChangePlan: Sendable, Equatable {
    package var action: String
    package var differences: [FieldDifference] = []
    package var summary = EditSummary()
    package var makesRevision = false
    /// Replicas that end and are replaced.
    package var replaced = 0
    package var replicas = ReplicaForecast()
    package var fit = Fit()
    package var expected = ExpectedTime()
    /// In order, in words.
    package var steps: [String] = []
    package var warnings: [Warning] = []

    package init(action: String) {
        self.action = action
    }

    package struct ReplicaForecast: Sendable, Equatable {
        package var now = 0
        package var after = 0
        /// Most at the same time.
        package var peak = 0

        package init(now: Int = 0, after: Int = 0, peak: Int = 0) {
            self.now = now
            self.after = after
            self.peak = peak
        }
    }

    package struct Fit: Sendable, Equatable {
        package var fits = true
        /// What is missing, in words.
        package var reasons: [String] = []
        package var alternatives: [String] = []

        package init() {}
    }

    package struct ExpectedTime: Sendable, Equatable {
        /// Nil when nothing is known to tell it from.
        package var time: Duration? = .zero
        package var basis = "nothing has to start or stop"

        package init() {}
    }

    package struct Warning: Sendable, Equatable {
        package var code: String
        package var message: String
        /// The field it is about, dotted; nil when it is about the whole.
        package var field: String?

        package init(_ code: String, _ message: String, field: String? = nil) {
            self.code = code
            self.message = message
            self.field = field
        }
    }
}
