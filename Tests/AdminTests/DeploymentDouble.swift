// Deployments without replicas: every change is done at once, or stays pending when a test wants to
// see it so. What is checked on the way is what the controller checks, by the same pure functions.

import Deployments
import Foundation
import Notation
import Replicas
import Traffic

actor DeploymentDouble: DeploymentControl {
    private(set) var views: [String: DeploymentView] = [:]
    private(set) var revisions: [String: [Revision]] = [:]
    private(set) var operations: [String: DeploymentOperation] = [:]
    /// What was asked for, in order.
    private(set) var asked: [(name: String, change: DeploymentChange, by: ChangeRequest)] = []
    private var deleted: [String: Date] = [:]
    private var version = 0
    private let clock = Date(timeIntervalSince1970: 1_800_000_000)
    /// Operations stay as they began.
    private var isSlow = false
    private var error: ControlError?
    private var lines: [LogLine] = []

    func slowDown() { isSlow = true }

    func refuse(with error: ControlError?) { self.error = error }

    func say(_ texts: [String]) {
        lines = texts.enumerated().map { index, text in
            LogLine(offset: UInt64(index * 10), time: clock, stream: .out, text: text)
        }
    }

    func finish(_ id: String) { operations[id]?.phase = .succeeded }

    func list() async throws -> [DeploymentView] {
        views.values.sorted { $0.spec.name < $1.spec.name }
    }

    func view(_ name: String) async throws -> DeploymentView {
        guard let view = views[name] else {
            throw ControlError.notFound(deployment: name, deletedAt: deleted[name])
        }
        return view
    }

    func revisions(of name: String) async throws -> [Revision] {
        _ = try await view(name)
        return (revisions[name] ?? []).sorted { $0.number > $1.number }
    }

    func replicas(of name: String) async throws -> [ReplicaView] {
        let view = try await view(name)
        return (0..<view.target).map { index in
            var replica = ReplicaView(
                name: "\(name)-\(index)", deployment: name, revision: view.revision, phase: .ready,
                since: clock)
            replica.address = "unix:/run/\(name)-\(index).sock"
            replica.usage = .init(at: clock, cores: 0.25, memoryBytes: 1 << 20)
            return replica
        }
    }

    func plan(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest
    ) async throws -> ChangePlan {
        if let error { throw error }
        return try plan(change, try target(of: change, name), views[name]?.spec)
    }

    private func plan(
        _ change: DeploymentChange, _ new: DeploymentSpec?, _ old: DeploymentSpec?
    ) throws -> ChangePlan {
        var facts = PlanFacts()
        facts.target = new?.scaling.minReplicas ?? 0
        facts.running = old == nil ? 0 : facts.target
        var replicas: Int?
        if case .scale(let count, _) = change { replicas = count }
        return ChangePlanner(facts: facts).plan(
            change.action, from: old, to: new, replicas: replicas)
    }

    private func target(of change: DeploymentChange, _ name: String) throws -> DeploymentSpec? {
        if case .create(let spec) = change { return spec }
        if case .apply(let spec) = change { return spec }
        guard let spec = views[name]?.spec else {
            throw ControlError.notFound(deployment: name, deletedAt: deleted[name])
        }
        do {
            switch change {
            case .patch(let patch): return try SpecPatch().apply(patch, to: spec).spec
            case .updateModel(let version, _, _):
                let patch = JSONValue.object(["version": .string(version)])
                return try SpecPatch(purpose: .updateModel).apply(patch, to: spec).spec
            case .delete: return nil
            default: return spec
            }
        } catch {
            throw ControlError.invalid(error)
        }
    }

    func perform(
        _ change: DeploymentChange, of name: String, asked request: ChangeRequest
    ) async throws -> ChangeReceipt {
        asked.append((name, change, request))
        if let error { throw error }
        if case .create = change, views[name] != nil { throw ControlError.nameTaken(name) }
        let old = views[name]
        let spec = try target(of: change, name)
        if let expected = request.expectedVersion, expected != old?.resourceVersion {
            throw ControlError.stale(expected: expected, found: old?.resourceVersion ?? "")
        }
        let plan = try plan(change, spec, old?.spec)
        var view = made(spec ?? old?.spec, old)
        if case .scale(let count, let until) = change {
            view.target = count ?? view.spec.scaling.minReplicas
            view.manualScale = count.map { .init(replicas: $0, until: until, by: request.actor) }
        }
        if case .stop(let message) = change { view.stopMessage = message }
        if case .apply(let spec) = change {
            (view.lastApplied, view.appliedFrom) = (spec, request.source)
        }
        let isLive = !plan.makesRevision && change.action == "update"
        let operation = isLive ? nil : begun(change, name, request)
        var receipt = ChangeReceipt(view: view, operation: operation, plan: plan)
        if request.isDryRun { return ChangeReceipt(view: view, plan: plan) }
        _ = request.answer?(receipt)
        store(view, change, plan, request)
        receipt.operation = operation.map { operations[$0.id] ?? $0 }
        if let stored = views[name] { receipt.view = stored }
        return receipt
    }

    private func made(_ spec: DeploymentSpec?, _ old: DeploymentView?) -> DeploymentView {
        guard let spec else { preconditionFailure("a change is of something") }
        var view =
            old
            ?? DeploymentView(
                id: "id-of-\(spec.name)", spec: spec, generation: 0, revision: 1,
                resourceVersion: "", createdAt: clock, updatedAt: clock, createdBy: "test",
                desire: .running, status: Self.healthy, target: spec.scaling.minReplicas)
        view.spec = spec
        view.generation += 1
        return view
    }

    /// Statuses are made from facts only; this one is read as the store keeps it.
    private static let healthy: DeploymentStatus = {
        let text = """
            {"word": "healthy", "reason": "AllReady", "message": "all replicas are ready",
             "observedGeneration": 1, "since": 0, "replicas": {"desired": 2, "ready": 2,
             "starting": 0, "failed": 0, "draining": 0}, "conditions": [{"kind": "Available",
             "truth": "True", "reason": "AllReady", "message": "2 of 2", "since": 0,
             "observedGeneration": 1}]}
            """
        guard
            let status = try? JSONDecoder().decode(DeploymentStatus.self, from: Data(text.utf8))
        else { preconditionFailure("the text is a status") }
        return status
    }()

    private func begun(
        _ change: DeploymentChange, _ name: String, _ request: ChangeRequest
    ) -> DeploymentOperation {
        DeploymentOperation(
            id: "op\(operations.count + 1)", action: change.action, deployment: name,
            phase: isSlow ? .running : .succeeded, createdAt: clock, createdBy: request.actor,
            updatedAt: clock, reason: request.reason)
    }

    private func store(
        _ made: DeploymentView, _ change: DeploymentChange, _ plan: ChangePlan,
        _ request: ChangeRequest
    ) {
        version += 1
        var view = made
        let name = view.spec.name
        view.resourceVersion = "v\(version)"
        if plan.makesRevision {
            view.revision = (revisions[name]?.last?.number ?? 0) + 1
            revisions[name, default: []].append(
                Revision(
                    number: view.revision, kind: change.action == "create" ? .create : .update,
                    content: RevisionContent(of: view.spec), strategy: view.spec.strategy,
                    createdAt: clock, createdBy: request.actor, reason: request.reason))
        }
        views[name] = view
        if case .delete = change {
            views[name] = nil
            deleted[name] = clock
        }
        let isLive = !plan.makesRevision && change.action == "update"
        if !isLive {
            let operation = begun(change, name, request)
            operations[operation.id] = operation
        }
    }

    func act(
        _ action: ReplicaAction, on replica: String, of name: String, asked: ChangeRequest
    ) async throws -> ChangeReceipt {
        let known = try await replicas(of: name).map(\.name)
        guard known.contains(replica) else {
            throw ControlError.unknownReplica(replica, deployment: name, known: known)
        }
        return ChangeReceipt(
            view: try await view(name), plan: ChangePlan(action: action.rawValue))
    }

    func logs(_ query: LogQuery) async throws -> LogPage {
        _ = try await view(query.deployment)
        guard query.replica.hasSuffix("-0") else { throw ReplicaError.noSuchLog(query.replica) }
        var from: UInt64 = 0
        if case .offset(let offset) = query.from { from = offset }
        let rest = lines.filter { $0.offset >= from }
        let page = Array(rest.prefix(query.maxLines))
        let end = UInt64(lines.count * 10)
        // A successor has begun: whoever follows is told the end.
        let run = query.run == .number(1) || lines.isEmpty ? 1 : query.run == .current ? 2 : 1
        return LogPage(
            run: query.run == .current && query.from == .first ? 1 : run, lines: page,
            next: page.last.map { $0.offset + 10 } ?? max(from, end), first: 0, end: end)
    }

    func dossiers(of name: String) async throws -> [CrashDossier] {
        _ = try await view(name)
        return []
    }

    func operations(of name: String?) async throws -> [DeploymentOperation] {
        operations.values.filter { name == nil || $0.deployment == name }.sorted { $0.id > $1.id }
    }

    func operations(_ question: OperationQuestion) async throws -> OperationPage {
        var all = try await operations(of: question.deployment)
        if !question.newestFirst { all.reverse() }
        let rest = all.drop { operation in
            guard let last = question.pageToken else { return false }
            return question.newestFirst ? operation.id >= last : operation.id <= last
        }
        let page = Array(rest.prefix(question.pageSize))
        return OperationPage(
            operations: page, nextPageToken: page.count < rest.count ? page.last?.id : nil,
            total: all.count)
    }

    func operation(_ id: String) async throws -> DeploymentOperation {
        guard let operation = operations[id] else { throw ControlError.unknownOperation(id) }
        return operation
    }

    func operation(_ id: String, within patience: Duration) async throws -> DeploymentOperation {
        try await operation(id)
    }

    func cancel(_ id: String, asked: ChangeRequest) async throws -> DeploymentOperation {
        var operation = try await operation(id)
        operation.phase = .cancelled
        if asked.isDryRun { return operation }
        operations[id] = operation
        return operation
    }

    func settle() async {}

    func nodes() async -> [NodeView] {
        var room = PlanFacts.Room()
        room.cpuMillis = 8000
        return [NodeView(name: "local", room: room, enforcement: ["cpu": "advisory"])]
    }
}
