// The control plane at size: 500 deployments of four scripted replicas each, on a real store and
// before a real data plane. What a full look at all of them costs, how long a list takes, how soon
// every worker has a new plan, how much memory it needs, and how soon it is back after a crash.

import Deployments
import Foundation
import Glibc
import Logging
import Notation
import Proxying
import Replicas
import State
import Traffic

@main enum ControlBenchmark {
    static let deployments =
        ProcessInfo.processInfo.environment["DEPLOYMENTS"].flatMap { Int($0) } ?? 500
    static let replicas = 4

    struct Row {
        var name: String
        var value: Double
        var unit: String
        var goal: Double
    }

    static func main() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "penstock-control-\(ProcessInfo.processInfo.processIdentifier)")
        let plane = DataPlane(
            options: DataPlaneOptions(stickyKey: [UInt8](repeating: 7, count: 16)) { _ in })
        let runtime = ScriptedRuntime()
        var rows: [Row] = []
        do {
            let host = try await Host(folder, plane, runtime, isFirst: true)
            rows += try await creation(host)
            rows += try await steady(host)
            rows += try await AdminMeasure.rows(host.store, host.director, host.controller)
            await host.controller.leave()
            try host.store.close()
        }
        rows += try await returning(folder, plane, runtime)
        rows.append(Row(name: "memory", value: residentMiB(), unit: "MiB", goal: 300))
        plane.stop()
        try FileManager.default.removeItem(at: folder)
        report(rows)
    }

    // MARK: Measures

    private static func creation(_ host: Host) async throws -> [Row] {
        let start = (wall: ContinuousClock.now, cpu: cpuSeconds())
        for number in 0..<deployments {
            let spec = Host.spec(number)
            _ = try await host.controller.perform(
                .create(spec), of: spec.name, asked: ChangeRequest(actor: "benchmark"))
        }
        try await host.untilReady()
        return [
            Row(
                name: "all created and ready, wall", value: seconds(since: start.wall), unit: "s",
                goal: 60),
            Row(
                name: "all created and ready, CPU", value: cpuSeconds() - start.cpu, unit: "s",
                goal: 60),
        ]
    }

    private static func steady(_ host: Host) async throws -> [Row] {
        var looks: [Double] = []
        for _ in 0..<20 {
            let before = cpuSeconds()
            await host.controller.lookAtAll()
            looks.append((cpuSeconds() - before) * 1000)
        }
        var lists: [Double] = []
        for _ in 0..<500 {
            let start = ContinuousClock.now
            _ = try await host.controller.list()
            lists.append(seconds(since: start) * 1000)
        }
        var plans: [Double] = []
        for number in 0..<50 {
            plans.append(try await host.applyPlan(number) * 1000)
        }
        return [
            Row(
                name: "a look at all, CPU, median", value: quantile(looks, 0.5), unit: "ms",
                goal: 100),
            Row(
                name: "list in the controller, p99", value: quantile(lists, 0.99), unit: "ms",
                goal: 20),
            Row(
                name: "plan on all workers, p99", value: quantile(plans, 0.99), unit: "ms",
                goal: 100),
        ]
    }

    /// After a crash: from the open store to the plan with every replica in it, and to the end of
    /// taking them over.
    private static func returning(
        _ folder: URL, _ plane: DataPlane, _ runtime: ScriptedRuntime
    ) async throws -> [Row] {
        let start = ContinuousClock.now
        let host = try await Host(folder, plane, runtime.successor(), isFirst: false)
        let routed = host.routedAfter
        try await host.untilReady()
        let taken = seconds(since: start)
        await host.controller.leave()
        try host.store.close()
        return [
            Row(name: "routing after a crash", value: routed, unit: "s", goal: 1),
            Row(name: "all taken over and healthy after a crash", value: taken, unit: "s", goal: 5),
        ]
    }

    // MARK: Numbers

    private static func report(_ rows: [Row]) {
        let isJSON = CommandLine.arguments.contains("--json")
        for row in rows {
            let value = (row.value * 100).rounded() / 100
            let verdict = row.value <= row.goal ? "met" : "missed"
            let json = JSONValue.object([
                "name": .string(row.name), "value": .number(value), "unit": .string(row.unit),
                "goal": .number(row.goal),
            ])
            print(
                isJSON
                    ? json.compact
                    : "\(row.name): \(value) \(row.unit) (goal \(row.goal), \(verdict))")
        }
    }

    static func seconds(since start: ContinuousClock.Instant) -> Double {
        let passed = (ContinuousClock.now - start).components
        return Double(passed.seconds) + Double(passed.attoseconds) / 1e18
    }

    static func quantile(_ values: [Double], _ share: Double) -> Double {
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    private static func residentMiB() -> Double {
        // Only Linux has it; elsewhere there is nothing to say.
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return Double(line.split(separator: " ").dropFirst().first ?? "0").map { $0 / 1024 } ?? 0
    }
}

/// A data plane is started with its first plan.
private final class StartingGate: TrafficGate {
    private let plane: DataPlane
    private let isFirst: Bool

    init(_ plane: DataPlane, isFirst: Bool) {
        self.plane = plane
        self.isFirst = isFirst
    }

    func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        if isFirst, plane.generationInForce() == 0 {
            try plane.start(plan)
        } else {
            try plane.apply(plan)
        }
    }

    func report() -> TrafficReport { plane.report() }

    func generationInForce() -> UInt64 { plane.generationInForce() }
}

private struct Host {
    let store: Store
    let director: TrafficDirector
    let controller: Controller
    /// Seconds from the open store to the first plan.
    let routedAfter: Double

    init(
        _ folder: URL, _ plane: DataPlane, _ runtime: ScriptedRuntime, isFirst: Bool
    ) async throws {
        let start = ContinuousClock.now
        store = try Store(directory: folder)
        director = TrafficDirector(
            gate: StartingGate(plane, isFirst: isFirst), store: store,
            logger: Logger(label: "benchmark"))
        controller = Controller(
            ControllerSurroundings(
                store: store, runtime: runtime, registry: NoModels(),
                variables: StoredVariables(store: store), director: director,
                probe: { _, _ in nil }, prove: { _, _ in nil }),
            logger: Logger(label: "benchmark"))
        try await controller.load()
        let listener = ListenerPlan(address: .tcp(host: "127.0.0.1", port: 0))
        try await director.load(
            gateway: GatewayPlan(listeners: [listener], workers: 4), services: [])
        routedAfter = ControlBenchmark.seconds(since: start)
        await controller.begin()
    }

    static func spec(_ number: Int) -> DeploymentSpec {
        var spec = DeploymentSpec(
            name: "model-\(number)", model: "model-\(number)", version: "v1",
            command: ["serve", "{address}"],
            resources: Resources(cpuMillis: 100, memoryBytes: 1 << 20))
        spec.scaling.minReplicas = ControlBenchmark.replicas
        spec.scaling.maxReplicas = ControlBenchmark.replicas
        // Nothing listens: a check now and then would only say so.
        spec.loadBalancer.healthInterval = .seconds(3600)
        return spec
    }

    func untilReady() async throws {
        while true {
            let views = try await controller.list()
            if views.count == ControlBenchmark.deployments,
                views.allSatisfy({ $0.status.word == .healthy && $0.operation == nil })
            {
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// One more service in the file; seconds until every worker works by it.
    func applyPlan(_ number: Int) async throws -> Double {
        let start = ContinuousClock.now
        let service = ServicePlan(
            name: "extra", routes: [RoutePlan(path: "/extra-\(number)")],
            revisions: [RevisionPlan(name: "r", weight: 1000, endpoints: [])])
        let listener = ListenerPlan(address: .tcp(host: "127.0.0.1", port: 0))
        try await director.load(
            gateway: GatewayPlan(listeners: [listener], workers: 4), services: [service])
        let wanted = await director.currentPlan()?.generation ?? 0
        while await director.generationInForce() < wanted {
            try await Task.sleep(for: .microseconds(200))
        }
        return ControlBenchmark.seconds(since: start)
    }
}

/// Replicas without files.
private struct NoModels: ModelRegistry {
    func versions(of model: String?) async throws -> [ModelVersion] { [] }

    func version(_ version: String, of model: String) async throws -> ModelVersion {
        throw ModelError.unknownModel(model)
    }

    func register(
        _ draft: ModelVersionDraft, by actor: String, at: Date, isDryRun: Bool
    ) async throws -> ModelVersion {
        throw ModelError.unknownModel(draft.model)
    }

    func proposed(
        _ draft: ModelVersionDraft, by actor: String, at: Date
    ) async throws -> ProposedVersion {
        throw ModelError.unknownModel(draft.model)
    }

    func add(_ proposed: ProposedVersion, to transaction: inout Transaction) throws {}

    func verify(_ artifact: ArtifactRecord) async throws {}

    func remove(_ version: String, of model: String, by actor: String, at: Date) async throws {}
}
