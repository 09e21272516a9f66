// The reconciler through hours of bad luck in simulated time: crashes of replicas and of the
// controller at every commit, slow workers, frozen replicas, full disks, edits in between. After
// every step the invariants hold, and once the bad luck ends the wish is met.

import Deployments
import Foundation
import Testing

@Suite struct FleetSimulationTests {
    /// `PENSTOCK_SEEDS=4000 swift test --filter FleetSimulation` looks for rarer luck; a sanitizer
    /// makes each story ten times as long.
    private static let seeds: Range<UInt64> = {
        let environment = ProcessInfo.processInfo.environment
        let usual: UInt64 = environment["PENSTOCK_SANITIZER"] == nil ? 12 : 2
        return 0..<(environment["PENSTOCK_SEEDS"].flatMap(UInt64.init) ?? usual)
    }()

    @Test(arguments: seeds)
    func `whatever happens no invariant breaks and the wish is met in the end`(_ seed: UInt64) {
        var story = FleetStory(seed: seed)
        for _ in 0..<800 { story.tick() }
        let early = story.world.violations
        #expect(early.isEmpty, "seed \(seed): \(early.prefix(5))")
        story.calmDown()
        let late = story.world.violations
        #expect(late.isEmpty, "seed \(seed): \(late.prefix(5))")
        #expect(story.unmet.isEmpty, "seed \(seed): \(story.unmet)")
        #expect(story.controller.commits > 50)
    }

    @Test(arguments: [SimulatedController.Fault.crashBeforeCommit, .crashAfterCommit, .commitFails])
    func `a fault at any commit of any change with two deployments leads to the same end`(
        _ fault: SimulatedController.Fault
    ) {
        for commit in 0..<min(12, Int(Self.seeds.upperBound)) {
            // What was before the change is the same for every change.
            var before = FleetStory(seed: UInt64(commit), isLucky: true)
            before.calmDown()
            for change in FleetStory.Change.allCases {
                var story = before
                for name in ["a", "b"] { story.apply(change, to: name) }
                story.faultAtCommit = story.controller.commits + commit
                story.fault = fault
                story.tickUntilStruck()
                let label = "\(change) cut by \(fault) at commit \(commit)"
                story.calmDown()
                #expect(story.unmet.isEmpty, "\(label): \(story.unmet)")
                // Nor does anything undo it.
                for _ in 0..<10 { story.quietTick() }
                #expect(story.unmet.isEmpty, "\(label), later: \(story.unmet)")
                #expect(story.world.violations.isEmpty, "\(label): \(story.world.violations)")
            }
        }
    }
}

struct FleetStory {
    enum Change: CaseIterable {
        case create, edit, restart, scaleUp, scaleDown, stop, delete
    }

    var world: FleetWorld
    var controller = SimulatedController()
    var fault = SimulatedController.Fault.none
    var faultAtCommit = Int.max

    init(seed: UInt64, isLucky: Bool = false) {
        world = FleetWorld(seed: seed)
        world.isCalm = isLucky
        controller.gpus = seed % 3 == 0 ? ["T4": 5] : [:]
        for name in ["a", "b"] {
            var wish = FleetWish(deployment: name)
            wish.count = 2
            wish.rules.gpus = seed % 3 == 0 ? 1 : 0
            wish.rules.maxSurge = 1 + Int(seed % 2)
            wish.rules.minHealthy = seed % 5 == 0 ? 10 : 0
            controller.disk.wishes[name] = wish
        }
    }

    mutating func apply(_ change: Change, to name: String) {
        guard var wish = controller.disk.wishes[name] else { return }
        switch change {
        case .create: (wish.desire, wish.count) = (.running, 2)
        case .edit: wish.revision += 1
        case .restart: wish.epoch += 1
        // Two of each and one to surge with: five cards are enough.
        case .scaleUp: wish.count = min(wish.count + 1, controller.gpus.isEmpty ? 3 : 2)
        case .scaleDown: wish.count = max(1, wish.count - 1)
        case .stop: wish.desire = .stopped
        case .delete: wish.desire = .deleted
        }
        controller.disk.wishes[name] = wish
    }

    mutating func tick() {
        world.pass(Double.random(in: 0.05...2, using: &world.generator))
        if world.chance(0.05) {
            let change = Change.allCases.randomElement(using: &world.generator) ?? .edit
            apply(change, to: world.chance(0.5) ? "a" : "b")
        }
        let faults: [SimulatedController.Fault] = [
            .commitFails, .crashBeforeCommit, .crashAfterCommit,
        ]
        let fault = world.chance(0.05) ? faults.randomElement(using: &world.generator) : nil
        let place = Int.random(in: 0..<4, using: &world.generator)
        controller.run(in: &world, fault: fault ?? .none, at: place)
    }

    mutating func quietTick() {
        world.pass(0.5)
        controller.run(in: &world, fault: fault, at: faultAtCommit - controller.commits)
        if controller.commits >= faultAtCommit { (fault, faultAtCommit) = (.none, .max) }
    }

    /// Until the fault has struck, thrice if it does again. A change with fewer commits than that
    /// is over long before the last of these.
    mutating func tickUntilStruck() {
        let enough = controller.faultsMet + 3
        for _ in 0..<100 {
            quietTick()
            if faultAtCommit == .max || controller.faultsMet == enough { return }
        }
    }

    /// No more bad luck, for half an hour at most.
    mutating func calmDown() {
        world.isCalm = true
        (fault, faultAtCommit) = (.none, .max)
        for _ in 0..<1800 {
            world.pass(1)
            controller.run(in: &world)
            if unmet.isEmpty { return }
        }
    }

    /// What is not as it is wished.
    var unmet: [String] {
        controller.disk.wishes.sorted { $0.key < $1.key }.compactMap { name, wish in
            let rows = controller.rows(of: name).filter { $0.phase != .exited }
            let good = rows.count {
                $0.phase == .ready && $0.revision == wish.revision && $0.epoch == wish.epoch
                    && world.confirmedRole(of: $0.id) == .serving
            }
            let wanted = wish.isRunning ? wish.count : 0
            guard good == wanted, rows.count == wanted else {
                return "\(name) wants \(wanted), has \(rows.map { "\($0.id) \($0.phase)" })"
            }
            return nil
        }
    }
}
