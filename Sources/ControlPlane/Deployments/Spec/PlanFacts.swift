// What a plan is made from besides the wish: the room there is, what runs, and how long a replica
// has taken to become ready before.

package struct PlanFacts: Sendable, Equatable {
    package var room = Room()
    /// Replicas of the deployment that hold room now.
    package var running = 0
    /// Wanted now: set by hand, or the least of the scaling settings.
    package var target = 0
    package var isMeantToRun = true
    /// From start to ready, learned; nil when none has been seen.
    package var loadTime: Duration?
    package var startsSeen = 0

    package init() {}

    /// The room of all places together; what the deployment itself holds counts as taken.
    package struct Room: Sendable, Equatable {
        package var cpuMillis = 0
        package var cpuMillisTaken = 0
        package var memoryBytes: Int64 = 0
        package var memoryBytesTaken: Int64 = 0
        /// By type.
        package var gpus: [String: GPUs] = [:]

        package struct GPUs: Sendable, Equatable {
            package var count: Int
            package var taken: Int

            package init(count: Int, taken: Int) {
                self.count = count
                self.taken = taken
            }
        }

        package init() {}
    }
}
