// The rise and fall of an endpoint by its probes.

import Balancing
import Testing
import Traffic

@Suite struct HealthTrackerTests {
    @Test func `the first success decides`() {
        var tracker = HealthTracker(rise: 2, fall: 3)
        #expect(tracker.succeeded() == .up)
    }

    @Test func `failures in a row take an endpoint down, interrupted ones do not`() {
        var tracker = HealthTracker(rise: 2, fall: 3, health: .up)
        #expect(tracker.failed() == nil)
        #expect(tracker.failed() == nil)
        #expect(tracker.succeeded() == nil)
        #expect(tracker.failed() == nil)
        #expect(tracker.failed() == nil)
        #expect(tracker.failed() == .down)
        #expect(tracker.failed() == nil)
    }

    @Test func `successes in a row bring it up again`() {
        var tracker = HealthTracker(rise: 2, fall: 3, health: .down)
        #expect(tracker.succeeded() == nil)
        #expect(tracker.failed() == nil)
        #expect(tracker.succeeded() == nil)
        #expect(tracker.succeeded() == .up)
    }

    @Test func `in a panic one success is enough`() {
        var tracker = HealthTracker(rise: 5, fall: 1, health: .down)
        #expect(tracker.succeeded(isPanicking: true) == .up)
    }
}
