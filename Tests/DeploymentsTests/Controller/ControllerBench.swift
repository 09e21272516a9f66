// A controller on a real store, with replicas by script and a gate that remembers. Time is real but
// nothing waits for it: each test waits for a state, not for a moment.

import Fixtures
import Foundation
import Guarding
import Logging
import Notation
import Replicas
import State
import Testing
import Traffic

@testable import Deployments

/// A gate whose workers take up plans when told; says what it is told of requests under way.
final class ScriptedGate: TrafficGate {
    private struct State {
        var plan: TrafficPlan?
        var plans = 0
        var isLagging = false
        var inForce: UInt64 = 0
        var inFlight: [String: Int] = [:]
        var down: Set<String> = []
    }

    private let state = Guarded(State())

    var plan: TrafficPlan? { state.withLock { $0.plan } }

    func lag(_ isLagging: Bool) {
        state.withLock { state in
            state.isLagging = isLagging
            if !isLagging { state.inForce = state.plan?.generation ?? 0 }
        }
    }

    func setInFlight(_ count: Int, at address: String) {
        state.withLock { $0.inFlight[address] = count }
    }

    func setDown(_ addresses: Set<String>) { state.withLock { $0.down = addresses } }

    func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        state.withLock { state in
            state.plan = plan
            state.plans += 1
            if !state.isLagging { state.inForce = plan.generation }
        }
    }

    func generationInForce() -> UInt64 { state.withLock { $0.inForce } }

    func report() -> TrafficReport {
        state.withLock { state in
            var report = TrafficReport()
            report.generation = state.inForce
            for service in state.plan?.services ?? [] {
                var facts = ServiceReport(name: service.name)
                for revision in service.revisions {
                    var row = RevisionReport(name: revision.name, weight: revision.weight)
                    row.endpoints = revision.endpoints.map { endpoint in
                        var fact = EndpointReport(address: endpoint.address)
                        fact.inFlight = state.inFlight[endpoint.address.description] ?? 0
                        let isDown = state.down.contains(endpoint.address.description)
                        fact.health = isDown ? .down : .up
                        fact.isDrained = endpoint.isDrained
                        return fact
                    }
                    facts.revisions.append(row)
                }
                report.services.append(facts)
            }
            return report
        }
    }
}

/// Every file is as registered.
struct TrustingRegistry: ModelRegistry {
    func versions(of model: String?) async throws -> [ModelVersion] { [] }

    func version(_ version: String, of model: String) async throws -> ModelVersion {
        ModelVersion(
            artifact: nil, model: model, version: version, description: "",
            defaults: .object([JSONValue.Member]()), registeredAt: Date(), registeredBy: "test")
    }

    func register(
        _ draft: ModelVersionDraft, by actor: String, at: Date, isDryRun: Bool
    ) async throws -> ModelVersion {
        try await version(draft.version, of: draft.model)
    }

    func proposed(
        _ draft: ModelVersionDraft, by actor: String, at: Date
    ) async throws -> ProposedVersion {
        ProposedVersion(try await version(draft.version, of: draft.model), isNew: false)
    }

    func add(_ proposed: ProposedVersion, to transaction: inout Transaction) throws {}

    func verify(_ artifact: ArtifactRecord) async throws {}

    func remove(_ version: String, of model: String, by actor: String, at: Date) async throws {}
}

/// Something has happened: whoever waits for a state of things looks again.
final class Ticks: Sendable {
    private struct State {
        var count = 0
        var waiting: [UUID: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Guarded(State())

    var count: Int { state.withLock { $0.count } }

    func tick() {
        let waiting = state.withLock { state in
            state.count += 1
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Returns once more has happened than when so much had.
    ///
    /// - Throws: when the task is cancelled: so a suite's time limit ends what never comes.
    func next(after count: Int) async throws {
        let id = UUID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.count == count, !Task.isCancelled else { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            // Cancelled before it waited: then it sees so itself, under the same lock.
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
        try Task.checkCancellation()
    }
}

/// A store that can be told that its disk is full, or to be the last that a controller ever heard.
final class FaultyStore: StateStore {
    enum Side: CaseIterable {
        case before, after
    }

    let store: Store
    private let ticks: Ticks
    private let fault = Guarded<StateError?>(nil)
    private let cut = Guarded<(commit: Int, side: Side)?>(nil)
    private let count = Guarded(0)
    let hasCut = Guarded(false)
    /// Commits that the fault has refused.
    let refusals = Guarded(0)

    init(_ store: Store, _ ticks: Ticks) {
        self.store = store
        self.ticks = ticks
    }

    var commits: Int { count.withLock { $0 } }

    func fail(with error: StateError?) { fault.withLock { $0 = error } }

    /// From the so-manieth commit from now on nothing returns.
    func cutOff(atCommit number: Int, _ side: Side) {
        let made = commits
        cut.withLock { $0 = (made + number, side) }
    }

    private func isCut(_ side: Side, _ number: Int) -> Bool {
        cut.withLock { cut in
            cut.map { number > $0.commit || (number == $0.commit && side == $0.side) } ?? false
        }
    }

    private func park() async throws {
        hasCut.withLock { $0 = true }
        ticks.tick()
        // For ever: whoever waits here has been killed.
        let (silence, source) = AsyncStream.makeStream(of: Void.self)
        for await _ in silence {}
        source.finish()
        throw CancellationError()
    }

    func document(_ key: DocumentKey) async throws -> Document? {
        try await store.document(key)
    }

    func list(_ query: DocumentQuery) async throws -> DocumentPage { try await store.list(query) }

    func commit(_ transaction: Transaction) async throws -> Commit {
        if let error = fault.withLock({ $0 }) {
            refusals.withLock { $0 += 1 }
            throw error
        }
        let number = count.withLock { count in
            count += 1
            return count
        }
        if isCut(.before, number) { try await park() }
        let commit = try await store.commit(transaction)
        if isCut(.after, number) { try await park() }
        return commit
    }

    func watch(_ kinds: Set<DocumentKind>, since sequence: UInt64) async throws -> DocumentWatch {
        try await store.watch(kinds, since: sequence)
    }

    func events(_ query: EventQuery) async throws -> EventPage { try await store.events(query) }

    func acquireLease(
        _ name: String, holder: String, lasting: Duration, now: Date
    ) async throws -> Lease {
        try await store.acquireLease(name, holder: holder, lasting: lasting, now: now)
    }

    func releaseLease(_ lease: Lease) async throws {
        try await store.releaseLease(lease)
    }
}

extension Controller {
    /// As `kill -9` does: nothing is finished.
    func abandon() {
        isStopping = true
        for loop in loops { loop.cancel() }
        for order in orders.values { order.task.cancel() }
        drainWatch?.cancel()
        bell.finish()
    }
}

/// One host: its disk, its replicas, its gateway, and the controller of the moment.
final class ControllerBench {
    let scratch = ScratchFolder()
    let ticks = Ticks()
    private(set) var gate = ScriptedGate()
    private(set) var runtime: ScriptedRuntime
    private(set) var store: FaultyStore
    private(set) var controller: Controller
    /// Replicas that do not answer, and paths at which none does.
    let mute = Guarded<Set<String>>([])
    /// What is wrong with the answers to smoke requests, by replica.
    let faults = Guarded<[String: String]>([:])
    /// Seconds that the controller's clock is ahead of the host's.
    private let ahead = Guarded<TimeInterval>(0)
    private let hasModels: Bool

    /// - Parameter hasModels: files are looked at, as the real registry does.
    init(
        capacity: RuntimeCapacity = RuntimeCapacity(cores: 64, memoryBytes: 1 << 38),
        hasModels: Bool = false,
        script: @escaping @Sendable (ReplicaSpec, Int) -> ScriptedRuntime.Life = { _, _ in .runs }
    ) async throws {
        runtime = ScriptedRuntime(capacity: capacity, script: script)
        self.hasModels = hasModels
        store = FaultyStore(try Store(directory: scratch.url), ticks)
        controller = Self.make(store, runtime, gate, mute, faults, ahead, ticks, hasModels)
        try await start()
    }

    deinit {
        let controller = controller
        Task { await controller.abandon() }
    }

    private static func make(
        _ store: FaultyStore, _ runtime: ScriptedRuntime, _ gate: ScriptedGate,
        _ mute: Guarded<Set<String>>, _ faults: Guarded<[String: String]>,
        _ ahead: Guarded<TimeInterval>, _ ticks: Ticks, _ hasModels: Bool
    ) -> Controller {
        let director = TrafficDirector(
            gate: gate, store: store.store, logger: Logger(label: "test"))
        var surroundings = ControllerSurroundings(
            store: store, runtime: runtime,
            registry: hasModels ? StoredModels(store: store.store) : TrustingRegistry(),
            variables: StoredVariables(store: store.store), director: director,
            probe: { address, path in
                mute.withLock { mute in
                    mute.contains { path == $0 || "\(address)".contains("\($0).sock") }
                } ? "status 503" : nil
            },
            prove: { host, _ in
                faults.withLock { $0.first { host.hasPrefix("\($0.key).") }?.value }
            },
            deletedAt: { name in
                // Unreadable is untold; the test looks at the name.
                try? await store.store.tombstone(DeploymentKeys.deployment(name))?.deletedAt
            },
            now: { Date() + ahead.withLock { $0 } })
        surroundings.looked = { ticks.tick() }
        return Controller(surroundings, logger: Logger(label: "test"))
    }

    func start() async throws {
        try await controller.load()
        try await controller.surroundings.director.load(
            gateway: GatewayPlan(listeners: [], workers: 1), services: [])
        await controller.begin()
    }

    /// As after `kill -9`: the disk and the replicas are all that is left.
    func crash() async throws {
        await controller.abandon()
        try store.store.close()
        runtime = runtime.successor()
        gate = ScriptedGate()
        store = FaultyStore(try Store(directory: scratch.url), ticks)
        controller = Self.make(store, runtime, gate, mute, faults, ahead, ticks, hasModels)
        try await start()
    }

    // MARK: Asking

    static func spec(
        _ name: String = "iris", replicas: Int = 2,
        _ change: (inout DeploymentSpec) -> Void = { _ in }
    ) -> DeploymentSpec {
        var spec = DeploymentSpec(
            name: name, model: name, version: "v1", command: ["serve", "{address}"],
            resources: Resources(cpuMillis: 100, memoryBytes: 1 << 20))
        (spec.scaling.minReplicas, spec.scaling.maxReplicas) = (replicas, max(replicas, 1))
        spec.strategy.minHealthy = .zero
        change(&spec)
        return spec
    }

    func asked(_ change: (inout ChangeRequest) -> Void = { _ in }) -> ChangeRequest {
        var request = ChangeRequest(actor: "tester", isAdmin: true)
        change(&request)
        return request
    }

    @discardableResult
    func perform(
        _ change: DeploymentChange, of name: String = "iris",
        _ edit: (inout ChangeRequest) -> Void = { _ in }
    ) async throws -> ChangeReceipt {
        try await controller.perform(change, of: name, asked: asked(edit))
    }

    /// Does it and waits for its end.
    @discardableResult
    func complete(
        _ change: DeploymentChange, of name: String = "iris"
    ) async throws -> DeploymentOperation? {
        let receipt = try await perform(change, of: name)
        guard let operation = receipt.operation else { return nil }
        return try await controller.operation(operation.id, within: .seconds(100))
    }

    func replicas(_ name: String = "iris") async throws -> [ReplicaView] {
        try await controller.replicas(of: name).filter { $0.phase != .exited }
    }

    var served: [String] {
        (gate.plan?.services ?? []).filter { !$0.name.hasPrefix("~") }
            .flatMap(\.revisions).flatMap(\.endpoints).filter { !$0.isDrained }
            .map(\.address.description).sorted()
    }

    /// The controller finds that time has passed.
    func jump(seconds: TimeInterval, _ name: String = "iris") async {
        ahead.withLock { $0 += seconds }
        await controller.touch(name)
    }

    /// Waits for a state of things; the suite's time limit ends what never comes.
    func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        while true {
            let seen = ticks.count
            if try await holds() { return }
            try await ticks.next(after: seen)
        }
    }
}
