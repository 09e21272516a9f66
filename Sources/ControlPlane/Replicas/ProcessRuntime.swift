// Replicas as processes of this machine. Each has a shim for its parent, in a session of its own,
// so that both outlive Penstock and the next one learns what happened. Owns the files, the control
// groups, the GPUs and ports given out, and the one thread that waits.

import CLinux
package import Foundation
import Guarding

package struct ProcessRuntimeOptions: Sendable {
    /// What replicas inherit, and where programs are sought.
    package var environment: [String: String]
    package var shim: ShimProgram
    /// Nil asks nvidia-smi.
    package var gpus: GPUInventory?
    package var samplePeriod: Duration
    package var controlGroups: ControlGroupChoice
    /// For a SIGTERM that reaches the shim itself.
    package var grace: Duration

    package init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        shim: ShimProgram = .own, gpus: GPUInventory? = nil, samplePeriod: Duration = .seconds(2),
        controlGroups: ControlGroupChoice = .automatic, grace: Duration = .seconds(10)
    ) {
        self.environment = environment
        self.shim = shim
        self.gpus = gpus
        self.samplePeriod = samplePeriod
        self.controlGroups = controlGroups
        self.grace = grace
    }
}

package final class ProcessRuntime: ReplicaRuntime {
    package let files: ReplicaFiles
    let options: ProcessRuntimeOptions
    let search: ProgramSearch
    let groups: ControlGroups
    let watcher: DescriptorWatcher
    let books: Guarded<Books>

    /// What is given out, and to whom.
    struct Books: Sendable {
        var live: [String: LiveRun] = [:]
        var starting: Set<String> = []
        /// Found at the start and not yet adopted, discarded or told.
        var leftovers: [String: FoundRun] = [:]
        var gpus: GPUAllocator
        var ports: PortReservations
        var sampling: Task<Void, Never>?
    }

    /// Reads what earlier Penstocks left and takes their GPUs and ports out of what can be given,
    /// before anything can be started.
    ///
    /// - Parameter waits: an earlier one still looks after its replicas; they are none of this
    ///   runtime's business until `takeStock`.
    package init(
        state: URL, options: ProcessRuntimeOptions = ProcessRuntimeOptions(), waits: Bool = false
    ) throws {
        files = try ReplicaFiles(state: state)
        self.options = options
        search = ProgramSearch(environment: options.environment)
        groups = ControlGroups(choice: options.controlGroups, tag: files.tag)
        watcher = try DescriptorWatcher()
        let inventory = options.gpus ?? NvidiaQuery(search: search).inventory()
        books = Guarded(
            Books(
                gpus: GPUAllocator(inventory),
                ports: PortReservations(start: Int(getpid()) &* 97)))
        if !waits { findLeftovers() }
    }

    /// For a runtime that was made to wait: what the earlier one has let go is found now.
    package func takeStock() { findLeftovers() }

    /// Replicas live on, and another Penstock looks after them from now on: this runtime neither
    /// hears of their ends nor samples them.
    package func letGo() {
        books.withLock { books in
            books.sampling?.cancel()
            books.live = [:]
        }
        watcher.close()
    }

    /// The kernel waits for this process's children from now on: for who ends soon and has let go.
    package static func leaveChildren() { penstock_leave_children() }

    deinit {
        books.withLock { $0.sampling?.cancel() }
        watcher.close()
    }

    package func capacity() async -> RuntimeCapacity {
        let (all, free) = books.withLock { ($0.gpus.inventory, $0.gpus.free) }
        return RuntimeCapacity(
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory), gpus: all.devices,
            freeGPUs: free, gpuSource: all.source)
    }

    package func enforcement(of resources: ReplicaResources) -> [ResourceKind: Enforcement] {
        var result: [ResourceKind: Enforcement] = [:]
        for kind in ResourceKind.allCases where resources.isAsked(kind) {
            result[kind] = enforcement(kind)
        }
        return result
    }

    private func enforcement(_ kind: ResourceKind) -> Enforcement {
        switch kind {
        case .cpu, .processes: return groups.enforcement(kind)
        case .memory:
            // RLIMIT_AS and RLIMIT_DATA count what is reserved, not what is used: they break
            // runtimes that reserve much, which model servers do. Looking is gentler and truer.
            let enforcement = groups.enforcement(kind)
            return enforcement.isEnforced ? enforcement : .enforced(by: .watch)
        case .gpu: return .enforced(by: .assignment)
        case .storage: return .advisory(reason: "directories have no quotas here")
        case .bandwidth: return .advisory(reason: "processes share the machine's network")
        }
    }

    package func check(_ spec: ReplicaSpec) throws(ReplicaError) {
        for name in [spec.name, spec.deployment] where !Self.isName(name) { throw .badName(name) }
        _ = try search.program(spec.command.first ?? "")
        let socket = files.socket(spec.name)
        if !spec.wantsPort, socket.utf8.count > Limits.socketPathBytes {
            throw .socketPathTooLong(socket)
        }
        if let artifact = spec.artifact, !FileManager.default.fileExists(atPath: artifact) {
            throw .artifactNotFound(artifact)
        }
        if let directory = spec.workingDirectory,
            !FileManager.default.fileExists(atPath: directory)
        {
            throw .directoryNotFound(directory)
        }
    }

    /// Names become file names.
    private static func isName(_ name: String) -> Bool {
        guard (1...Limits.nameBytes).contains(name.utf8.count), name.first != "." else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 45, 46, 48...57, 65...90, 95, 97...122: true
            default: false
            }
        }
    }

    package func logs(_ query: LogQuery) async throws(ReplicaError) -> LogPage {
        try folder(query).page(query)
    }

    package func follow(_ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        let books = books
        let replica = query.replica
        return LogFollower(folder: folder(query), query: query) { run in
            books.withLock {
                $0.live[replica]?.record.run == run
                    || $0.leftovers[replica]?.leftover.record.run == run
            }
        }.lines()
    }

    private func folder(_ query: LogQuery) -> LogFolder {
        LogFolder(path: files.log(query.replica, of: query.deployment))
    }

    package func dossiers(of deployment: String) async -> [CrashDossier] {
        DossierFolder(path: files.dossiers(of: deployment)).all()
    }
}
