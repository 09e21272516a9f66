// Gives freed memory back to the system, on a thread of its own: connections come in bursts, and
// what one left behind would stay resident until the next, or for ever.

import Logging
import Reactor

extension Wiring {
    /// Goes on until it is cancelled.
    static func keepMemorySmall() -> Task<Void, Never> {
        Task {
            let log = Logger(label: "penstock.memory")
            var spare = SpareMemory(residentBytes: SpareMemory.residentBytes)
            while !Task.isCancelled {
                // Cancelled is as good: the loop ends.
                try? await Task.sleep(for: .seconds(1))
                let before = SpareMemory.residentBytes
                let began = Clock.now()
                guard spare.isWorthReturning(residentBytes: before, now: began) else { continue }
                // Cannot fail.
                try? await OwnThread.run(name: "memory") { SpareMemory.giveBack() }
                let (after, ended) = (SpareMemory.residentBytes, Clock.now())
                spare.wasReturned((before, after), now: ended)
                log.debug(
                    "gave memory back",
                    metadata: [
                        "before": "\(before)", "after": "\(after)",
                        "microseconds": "\((ended - began) / 1_000)",
                    ])
            }
        }
    }
}
