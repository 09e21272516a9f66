// Which states a replica goes through and what its owner is
// asked to do, by a clock turned by hand.

import Fixtures
import Replicas
import Testing

@Suite struct ReplicaMachineTests {
    private let begin = ContinuousClock.now

    private func time(_ seconds: Double) -> ContinuousClock.Instant {
        begin.advanced(by: .seconds(seconds))
    }

    private func machine(_ events: ReplicaEvent...) -> ReplicaMachine {
        var machine = ReplicaMachine(seed: 1)
        for event in events { _ = machine.receive(event, at: begin) }
        return machine
    }

    @Test func `a replica is spawned, loads, warms and is ready, each step on its proof`() {
        var machine = machine()
        let steps: [(ReplicaEvent, ReplicaState, [ReplicaEffect])] = [
            (.start, .spawning, [.spawn]), (.spawned, .loading, [.probe]),
            (.loaded, .warming, [.warm]), (.warmed, .ready, [.admit]),
            (.ejected("5 failures"), .ejected, []), (.restored, .ready, []),
            (.drain(until: time(30), grace: .seconds(9)), .draining, [.withdraw]),
            (.drained, .stopping, [.stop(grace: .seconds(9))]),
            (.exited("killed by SIGTERM, as asked"), .exited, []),
        ]
        for (event, state, effects) in steps {
            #expect(machine.receive(event, at: begin) == effects)
            #expect(machine.state == state)
        }
        #expect(machine.waitingFor == "")
    }

    @Test func `every state that waits says for what, and until when`() {
        let waiting: [ReplicaMachine] = [
            machine(.start), machine(.start, .spawned), machine(.start, .spawned, .loaded),
            machine(.start, .spawned, .loaded, .warmed, .drain(until: time(30))),
            machine(.start, .stop(grace: .zero)), machine(.start, .spawnFailed("gone")),
        ]
        for machine in waiting {
            #expect(machine.deadline != nil, "\(machine.state)")
            #expect(!machine.waitingFor.isEmpty, "\(machine.state)")
        }
    }

    @Test func `an exit nobody asked for is a failure, and the next start is due after a pause`() {
        var machine = machine(.start, .spawned, .loaded, .warmed)
        #expect(machine.receive(.exited("exited with code 7"), at: begin) == [.withdraw])
        #expect(machine.state == .failed)
        #expect(machine.reason == "exited with code 7")

        #expect(machine.receive(.tick, at: time(0.5)) == [])
        #expect(machine.receive(.tick, at: time(1)) == [.spawn])
        #expect(machine.restarts == 1)
    }

    @Test func `what misses its deadline is killed, and its end leads to the next start`() {
        var machine = machine(.start, .spawned)
        #expect(machine.receive(.tick, at: time(599)) == [])
        #expect(machine.receive(.tick, at: time(600)) == [.kill])
        #expect(machine.receive(.loaded, at: time(600)) == [], "too late")
        #expect(machine.receive(.exited("killed by SIGKILL, as asked"), at: time(601)) == [])
        #expect(machine.state == .failed)
        #expect(machine.reason.hasPrefix("not ready after"))
    }

    @Test func `bad smoke answers end the run with their reason`() {
        var machine = machine(.start, .spawned, .loaded)
        #expect(machine.receive(.warmingFailed("smoke request 2: 500"), at: begin) == [.kill])
        _ = machine.receive(.exited("killed by SIGKILL, as asked"), at: begin)
        #expect(machine.reason.hasPrefix("smoke request 2: 500"))
    }

    @Test func `an adopted replica is ready on its first proof, without smoke requests`() {
        var machine = machine()
        #expect(machine.receive(.adopt, at: begin) == [.probe])
        #expect(machine.isAdopting)
        #expect(machine.state == .loading)
        #expect(machine.receive(.loaded, at: begin) == [.admit])
        #expect(!machine.isAdopting)
        #expect(machine.restarts == 0)
    }

    @Test func `draining that takes too long goes on to stopping`() {
        var machine = machine(.start, .spawned, .loaded, .warmed)
        _ = machine.receive(.drain(until: time(30), grace: .seconds(5)), at: begin)
        #expect(machine.receive(.tick, at: time(30)) == [.stop(grace: .seconds(5))])
        #expect(machine.receive(.tick, at: time(46)) == [.kill], "grace and patience are over")
    }

    @Test func `stopping while it is started waits for the start, then stops what came of it`() {
        var machine = machine(.start)
        #expect(
            machine.receive(.stop(grace: .seconds(5)), at: begin) == [.stop(grace: .seconds(5))])
        #expect(machine.receive(.spawned, at: begin) == [.stop(grace: .seconds(5))])
        #expect(machine.state == .stopping)
        _ = machine.receive(.exited("as asked"), at: begin)
        #expect(machine.state == .exited)

        var other = self.machine(.start, .stop(grace: .zero))
        _ = other.receive(.spawnFailed("no such program"), at: begin)
        #expect(other.state == .exited)
    }

    @Test func `stopping without a process is over at once`() {
        #expect(machine(.stop(grace: .seconds(5))).state == .exited)
        #expect(machine(.start, .spawnFailed("x"), .stop(grace: .seconds(5))).state == .exited)
        #expect(machine(.start, .spawnFailed("x"), .drain(until: begin)).state == .exited)
    }

    @Test func `nothing leads back from draining and stopping`() {
        for machine in [
            machine(.start, .spawned, .loaded, .warmed, .drain(until: time(9))),
            machine(.start, .spawned, .stop(grace: .seconds(9))), machine(.stop(grace: .zero)),
        ] {
            for event in [
                ReplicaEvent.start, .adopt, .loaded, .warmed, .ejected("x"), .restored,
                .spawnFailed("x"),
            ] {
                var after = machine
                _ = after.receive(event, at: begin)
                #expect(after.isEnding, "\(machine.state) \(event)")
            }
        }
    }

    @Test func `a second stop may shorten the grace, never lengthen it`() {
        var machine = machine(.start, .spawned, .stop(grace: .seconds(30)))
        #expect(machine.receive(.stop(grace: .zero), at: begin) == [.kill])
        let deadline = machine.deadline
        _ = machine.receive(.stop(grace: .seconds(60)), at: begin)
        #expect(deadline != nil)
        #expect(machine.receive(.tick, at: time(75)) == [.kill])
    }

    @Test func `a crash loop is said once, named in the reason, and trying goes on`() {
        var machine = machine(.start)
        var said = 0
        for attempt in 1...8 {
            let now = time(Double(attempt) * 70)
            let effects = machine.receive(.spawnFailed("exited with code 1"), at: now)
            said += effects.count { $0 == .crashLoop }
            #expect(machine.isCrashLooping == (attempt >= 5))
            #expect(machine.receive(.tick, at: now + .seconds(60)) == [.spawn])
        }
        #expect(said == 1)
        #expect(machine.reason == "crash loop: exited with code 1")
    }

    @Test func `equal seeds pause equally long, others do not`() {
        func pause(_ seed: UInt64) -> ContinuousClock.Instant? {
            var machine = ReplicaMachine(seed: seed)
            _ = machine.receive(.start, at: begin)
            _ = machine.receive(.spawnFailed("x"), at: begin)
            return machine.deadline
        }
        #expect(pause(7) == pause(7))
        #expect(pause(7) != pause(8))
    }

    @Test func `any sequence of events leaves a state that knows what it waits for`() {
        var random = SeededGenerator(seed: 20_260_131)
        for _ in 0..<2000 {
            var machine = ReplicaMachine(seed: 3)
            var now = begin
            for _ in 0..<30 {
                now += .milliseconds(Int(random.next() % 40_000))
                let event = Self.event(random.next(), now)
                let before = machine
                _ = machine.receive(event, at: now)
                let isSettled = [.ready, .exited].contains(machine.state)
                #expect(
                    machine.waitingFor.isEmpty == isSettled, "seed 20260131: \(before) \(event)")
                if before.isEnding { #expect(machine.isEnding, "seed 20260131: \(event)") }
            }
        }
    }

    private static func event(_ bits: UInt64, _ now: ContinuousClock.Instant) -> ReplicaEvent {
        let events: [ReplicaEvent] = [
            .start, .adopt, .spawned, .spawnFailed("x"), .loaded, .warmed, .warmingFailed("x"),
            .ejected("x"), .restored, .drained, .exited("x"), .tick, .tick, .tick,
            .stop(grace: .seconds(1)), .drain(until: now + .seconds(5)),
        ]
        return events[Int(bits % UInt64(events.count))]
    }
}
