// Keeps every deployment as it is wished, over crashes of replicas and of itself. It loads what is
// stored, publishes the routing of it, takes over the replicas that live, and then repeats: what
// was seen → transition → commit → effects. No effect begins before its transition is committed,
// and none is committed on an order given, only on what came of it.

import Foundation
package import Logging
import Replicas
import State
import Traffic

package actor Controller {
    let surroundings: ControllerSurroundings
    let logger: Logger
    let lane = Lane()
    let publishing = Lane()
    /// Rung when there is something to look at; rings that nobody has heard yet are one ring.
    private let alarm: AsyncStream<Void>
    let bell: AsyncStream<Void>.Continuation
    /// Hosts of proofs end in it: nobody else can guess where an unproven replica answers.
    let secret: String

    var entries: [String: DeploymentEntry] = [:]
    var pool = GPUPool()
    var capacity = RuntimeCapacity(cores: 0, memoryBytes: 0)
    /// Deployments to be looked at.
    var dirty: Set<String> = []
    /// Why nothing can be stored at present.
    var readOnlyBecause: String?

    // Effects under way.
    var runs: [String: ReplicaRun] = [:]
    /// The last ended process of each replica, for the log.
    var processes: [String: Int32] = [:]
    var orders: [String: OrderUnderWay] = [:]
    /// Where each replica was last put in the routing.
    var places: [String: RoutingPlace] = [:]
    var unconfirmed: Set<String> = []
    var isRoutingDirty = false
    var acknowledgement: Task<Void, Never>?
    var drainWatch: Task<Void, Never>?
    var loops: [Task<Void, Never>] = []
    /// When the bell rings next by itself; nil when it does not.
    private var armed: ContinuousClock.Instant?
    var isStopping = false
    private var isEndStored = false
    /// Until every deployment has been looked at, its status is as the last process stored it.
    private(set) package var hasLooked = false
    /// Those who wait for an operation to end, by its id.
    var waiters: [String: OperationWaiters] = [:]
    /// Operations that have waited and are being begun.
    var beginning: Set<String> = []
    var commits = CommitCounter()
    var generator = SystemRandomNumberGenerator()

    package init(_ surroundings: ControllerSurroundings, logger: Logger) {
        self.surroundings = surroundings
        self.logger = logger
        (alarm, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        var generator = SystemRandomNumberGenerator()
        secret = (0..<4).map { _ in
            String(UInt32.random(in: .min ... .max, using: &generator), radix: 16)
        }.joined()
    }

    /// Begins to keep things as they are wished; to be called once the first plan is in force.
    package func begin() async {
        capacity = await surroundings.runtime.capacity()
        pool = GPUPool(total: Dictionary(grouping: capacity.gpus, by: \.type).mapValues(\.count))
        for row in entries.values.flatMap(\.living) {
            if let type = row.gpuType { pool.hold(row.gpus, type: type) }
        }
        await noteFirstPlan()
        await adopt()
        loops = [
            Task { await self.keep() },
            Task { await self.watch() },
        ]
    }

    /// The loop: until it is told to stop.
    private func keep() async {
        dirty = Set(entries.keys)
        var rings = alarm.makeAsyncIterator()
        while !isStopping {
            await pass()
            hasLooked = true
            if readOnlyBecause != nil {
                // Whatever else happens, the disk is not asked more often.
                try? await Task.sleep(for: Limits.commitPause)
                continue
            }
            arm()
            await rings.next()
        }
    }

    /// Rings when time alone changes something. A sleep that is cancelled stays in the system's
    /// queue until its time, so none is begun while an earlier one is under way.
    private func arm() {
        guard let pause else { return }
        let now = ContinuousClock.now
        let moment = now + min(max(pause, Limits.wakePause.lowerBound), Limits.wakePause.upperBound)
        if let armed, armed > now, armed <= moment { return }
        armed = moment
        Task { [bell] in
            // Never cancelled.
            try? await Task.sleep(until: moment)
            bell.yield()
        }
    }

    private func pass() async {
        let names = dirty.sorted()
        dirty = []
        let now = surroundings.now()
        let due = entries.values.filter { $0.wake.map { $0 <= now } ?? false }.map(\.name)
        for name in Set(names).union(due).sorted() {
            if isStopping { return }
            await reconcile(name)
        }
        await publishIfNeeded()
        surroundings.looked()
    }

    /// Every deployment, whether or not something was seen of it.
    package func lookAtAll() async {
        dirty.formUnion(entries.keys)
        await pass()
    }

    private var pause: Duration? {
        guard dirty.isEmpty else { return .zero }
        let now = surroundings.now()
        return entries.values.compactMap(\.wake).min().map {
            .seconds(max(0.001, $0.timeIntervalSince(now)))
        }
    }

    func touch(_ name: String) {
        dirty.insert(name)
        bell.yield()
    }

    /// What was seen of a replica; whoever waits for it is woken.
    func see(_ replica: String, of name: String, _ change: (inout ReplicaSighting) -> Void) {
        guard var sighting = entries[name]?.sightings[replica] else { return }
        let before = sighting
        change(&sighting)
        guard sighting != before else { return }
        entries[name]?.sightings[replica] = sighting
        touch(name)
    }

    // MARK: The end

    /// Ends every replica, each with its grace, and stores that they have ended.
    package func stop(atOnce: Bool = false) async {
        await halt()
        // Starts that have begun come to their end first, so that none is missed.
        for order in orders.values where order.order.isStart { await order.task.value }
        await withTaskGroup { group in
            for (replica, run) in runs {
                let grace = atOnce ? Duration.zero : grace(of: replica)
                group.addTask { [surroundings] in
                    await surroundings.runtime.stop(run, grace: grace)
                    _ = await run.end()
                }
            }
        }
        // Asked a second time, perhaps while the first end is being stored: once is enough.
        await lane.enter()
        if !isEndStored { await storeEnd() }
        isEndStored = true
        await lane.leave()
    }

    /// Ends nothing but its own work: the replicas stay for the next start to take over.
    package func leave() async {
        await halt()
        for order in orders.values { await order.settle() }
    }

    private func halt() async {
        isStopping = true
        for loop in loops { loop.cancel() }
        bell.finish()
        acknowledgement?.cancel()
        drainWatch?.cancel()
        // Nothing is cut off between a commit and what it has to be remembered by.
        await lane.enter()
        await lane.leave()
    }

    private func grace(of replica: String) -> Duration {
        let entry = entries.values.first { $0.rows.contains { $0.id == replica } }
        return entry?.record.spec.lifecycle.grace ?? .seconds(10)
    }
}
