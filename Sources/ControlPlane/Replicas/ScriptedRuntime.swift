// A runtime without processes, files or clock: replicas live and die as a script says. For tests of
// whoever owns replicas, and for simulations with thousands of them. Keeps the promises of the real
// one: one live run a name, GPUs given once, leftovers after a restart.

import Foundation
import Guarding

package final class ScriptedRuntime: ReplicaRuntime {
    package enum Life: Sendable, Equatable {
        /// Until it is told to stop.
        case runs
        /// Until it is killed.
        case ignoresStop
        case failsToStart(String)
        /// As soon as it has been started.
        case ends(ReplicaExit)
    }

    /// What was asked of it, in order.
    package enum Order: Sendable, Equatable {
        case start(String)
        case stop(String, grace: Duration)
        case adopt(String)
        case discard(String)
    }

    private struct Books: Sendable {
        var live: [String: ReplicaRun] = [:]
        var leftovers: [String: Leftover] = [:]
        var runs: [String: Int] = [:]
        var orders: [Order] = []
        var dossiers: [CrashDossier] = []
        var lines: [String: [String]] = [:]
        var gpus: GPUAllocator
        var nextProcess: Int32 = 1000
    }

    private let script: @Sendable (ReplicaSpec, Int) -> Life
    private let size: RuntimeCapacity
    private let books: Guarded<Books>

    /// The script is told the spec and which run of the replica it is.
    package init(
        capacity: RuntimeCapacity = RuntimeCapacity(cores: 64, memoryBytes: 1 << 38),
        leftovers: [Leftover] = [],
        script: @escaping @Sendable (ReplicaSpec, Int) -> Life = { _, _ in .runs }
    ) {
        self.script = script
        size = capacity
        var books = Books(
            gpus: GPUAllocator(GPUInventory(devices: capacity.gpus, source: .declared)))
        for leftover in leftovers {
            let record = leftover.record
            books.leftovers[record.replica] = leftover
            books.runs[record.replica] = record.run
            if leftover.isAlive { books.gpus.restore(record.gpus, to: record.replica) }
        }
        self.books = Guarded(books)
    }

    package var orders: [Order] { books.withLock { $0.orders } }
    package var live: [String] { books.withLock { $0.live.keys.sorted() } }

    /// As if Penstock had been killed and started again: what was alive is left over.
    package func successor() -> ScriptedRuntime {
        let left = books.withLock { books in
            books.live.values.map { run in
                Leftover(record: run.record, state: .alive(run.identity ?? Self.identity(0)))
            } + books.leftovers.values
        }
        return ScriptedRuntime(capacity: size, leftovers: left, script: script)
    }

    /// Something happens to a live replica that nobody asked for.
    package func end(_ replica: String, _ exit: ReplicaExit) {
        end(replica, exit, isRequested: false)
    }

    /// A replica prints something.
    package func say(_ lines: [String], by replica: String) {
        books.withLock { $0.lines[replica, default: []] += lines }
    }

    package func report(_ sample: UsageSample, of replica: String) {
        books.withLock { $0.live[replica] }?.report(.usage(sample))
    }

    package func capacity() async -> RuntimeCapacity {
        var size = size
        size.freeGPUs = books.withLock { $0.gpus.free }
        return size
    }

    package func enforcement(of resources: ReplicaResources) -> [ResourceKind: Enforcement] {
        let asked = ResourceKind.allCases.filter(resources.isAsked)
        return Dictionary(
            uniqueKeysWithValues: asked.map { ($0, .advisory(reason: "nothing really runs")) })
    }

    package func check(_ spec: ReplicaSpec) throws(ReplicaError) {
        if spec.command.isEmpty { throw .noCommand }
    }

    package func start(_ spec: ReplicaSpec) async throws(ReplicaError) -> ReplicaRun {
        try check(spec)
        let (run, life) = try books.withLock { books throws(ReplicaError) in
            try begin(spec, &books)
        }
        if case .ends(let exit) = life { end(spec.name, exit, isRequested: false) }
        return run
    }

    private func begin(
        _ spec: ReplicaSpec, _ books: inout Books
    ) throws(ReplicaError) -> (ReplicaRun, Life) {
        let name = spec.name
        books.orders.append(.start(name))
        let isLeft = books.leftovers[name]?.isAlive ?? false
        if books.live[name] != nil || isLeft { throw .alreadyRunning(name) }
        let number = books.runs[name, default: 0] + 1
        books.runs[name] = number
        let life = script(spec, number)
        if case .failsToStart(let reason) = life {
            throw .startFailed(step: "run the program", reason: reason)
        }
        let gpus = try books.gpus.assign(
            count: spec.resources.gpuCount, type: spec.resources.gpuType, to: name)
        let run = ReplicaRun(
            record: ReplicaRecord(
                replica: name, deployment: spec.deployment, revision: spec.revision,
                attempt: spec.attempt, run: number,
                nonce: "\(name)-\(number)", specDigest: spec.digest,
                address: .unix(path: "/scripted/\(name).sock"), gpus: gpus.map(\.id),
                startedAt: Date(timeIntervalSince1970: 0)))
        books.nextProcess += 1
        books.live[name] = run
        run.report(.spawned(Self.identity(books.nextProcess)))
        return (run, life)
    }

    package func leftovers() async -> [Leftover] {
        books.withLock { $0.leftovers.values.sorted { $0.record.replica < $1.record.replica } }
    }

    package func adopt(_ leftover: Leftover) async throws(ReplicaError) -> ReplicaRun {
        try books.withLock { books throws(ReplicaError) in
            let name = leftover.record.replica
            books.orders.append(.adopt(name))
            guard case .alive(let identity) = books.leftovers[name]?.state else {
                throw .notAdoptable("it has ended")
            }
            let run = ReplicaRun(record: leftover.record)
            books.leftovers[name] = nil
            books.live[name] = run
            run.report(.spawned(identity))
            return run
        }
    }

    package func discard(_ leftover: Leftover) async {
        books.withLock { books in
            let name = leftover.record.replica
            books.orders.append(.discard(name))
            books.leftovers[name] = nil
            books.gpus.release(name)
        }
    }

    package func stop(_ run: ReplicaRun, grace: Duration) async {
        let name = run.record.replica
        let life = script(Self.spec(of: run.record), run.record.run)
        books.withLock { $0.orders.append(.stop(name, grace: grace)) }
        if life == .ignoresStop, grace > .zero { return }
        end(name, .signal(grace > .zero ? 15 : 9, dumped: false), isRequested: true)
    }

    package func logs(_ query: LogQuery) async throws(ReplicaError) -> LogPage {
        guard let lines = books.withLock({ $0.lines[query.replica] }) else {
            throw .noSuchLog(query.replica)
        }
        let end = UInt64(lines.count)
        return LogPage(
            run: 1,
            lines: lines.enumerated().map { number, text in
                LogLine(
                    offset: UInt64(number), time: Date(timeIntervalSince1970: 0), stream: .out,
                    text: text)
            }, next: end, first: 0, end: end)
    }

    package func follow(_ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        AsyncThrowingStream { $0.finish() }
    }

    package func dossiers(of deployment: String) async -> [CrashDossier] {
        books.withLock { $0.dossiers.filter { $0.deployment == deployment } }.reversed()
    }

    private func end(_ replica: String, _ exit: ReplicaExit, isRequested: Bool) {
        let run = books.withLock { books -> ReplicaRun? in
            books.gpus.release(replica)
            return books.live.removeValue(forKey: replica)
        }
        let request: EndCircumstances.Request = isRequested ? .stop : .none
        let cause = EndCircumstances(exit: exit, request: request).cause
        run?.report(
            .exited(
                ReplicaEnd(
                    exit: exit, isRequested: isRequested, at: Date(timeIntervalSince1970: 0),
                    cause: cause)))
    }

    private static func identity(_ process: Int32) -> ProcessIdentity {
        ProcessIdentity(process: process, startTicks: 1, boot: "scripted")
    }

    /// As much of the spec as a script can need to say how a replica takes a stop.
    private static func spec(of record: ReplicaRecord) -> ReplicaSpec {
        ReplicaSpec(
            name: record.replica, deployment: record.deployment, revision: record.revision,
            model: "", version: "", command: [])
    }
}
