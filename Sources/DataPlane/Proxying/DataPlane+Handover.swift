// Passing on to another process, and what was taken over from one. The sockets stay open all the
// while: for some time both processes accept from them.

import Reactor
import TLS
package import Traffic

extension DataPlane {
    /// Descriptors of its own for whoever takes over; nothing changes here. Closed by the caller.
    ///
    /// - Throws: `TrafficPlanError.outOfRange` when there are no descriptors for that.
    package func handOver() throws(TrafficPlanError) -> Inheritance {
        do {
            return Inheritance(listeners: try duplicateListeners(), tickets: tickets.passed)
        } catch {
            throw .outOfRange(
                field: "gateway.listeners", value: "\(error)",
                allowed: "a second descriptor for each socket while an upgrade is under way")
        }
    }

    /// Waits until every loop serves the plan; its listeners are then polled. Blocks.
    package func awaitGeneration(_ generation: UInt64) {
        while generationInForce() < generation { LoopThread.pause() }
    }
}

extension Inheritance {
    /// Once another process has them.
    package func close() {
        for descriptor in listeners.flatMap(\.descriptors) { Sockets.close(descriptor) }
    }
}
