// A kind of place where replicas run: this machine's processes first, others later, a scripted one
// for tests and simulation. It performs starts and stops and tells facts; when and why is decided
// elsewhere. A run belongs to the place, not to Penstock: it goes on when Penstock dies.

package protocol ReplicaRuntime: Sendable {
    /// What the place has, and what of it is free; for plans: fits or not.
    func capacity() async -> RuntimeCapacity

    /// What each limit asked for means here. Only those asked for are told.
    func enforcement(of resources: ReplicaResources) -> [ResourceKind: Enforcement]

    /// Everything about a spec that can be known before it runs.
    func check(_ spec: ReplicaSpec) throws(ReplicaError)

    /// One run of a replica. Returns when its program runs; never two live runs of one name.
    func start(_ spec: ReplicaSpec) async throws(ReplicaError) -> ReplicaRun

    /// What earlier Penstocks left behind. GPUs and ports of the live ones are taken from the first
    /// moment on, before anything can be started, until they are adopted and end, or are discarded.
    func leftovers() async -> [Leftover]

    /// Takes a live leftover over; refused when it cannot prove to be what its record says.
    func adopt(_ leftover: Leftover) async throws(ReplicaError) -> ReplicaRun

    /// Kills a leftover with all its processes. Its log and its dossiers stay.
    func discard(_ leftover: Leftover) async

    /// SIGTERM to all its processes, SIGKILL after the grace. Returns once the order is delivered;
    /// the end comes as a fact.
    func stop(_ run: ReplicaRun, grace: Duration) async
    func kill(_ run: ReplicaRun) async

    /// Lines of a run, also of one that has ended.
    func logs(_ query: LogQuery) async throws(ReplicaError) -> LogPage

    /// Lines as they come, across rotation, until the consumer stops or the run is over.
    func follow(_ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error>

    /// What is known about runs that failed, newest first.
    func dossiers(of deployment: String) async -> [CrashDossier]
}

extension ReplicaRuntime {
    package func kill(_ run: ReplicaRun) async {
        await stop(run, grace: .zero)
    }
}

/// What a place has for replicas.
package struct RuntimeCapacity: Sendable, Equatable {
    package var cores: Int
    package var memoryBytes: Int
    package var gpus: [GPUDevice]
    package var freeGPUs: [GPUDevice]
    /// Whence `gpus` are known.
    package var gpuSource: GPUInventory.Source

    package init(
        cores: Int, memoryBytes: Int, gpus: [GPUDevice] = [], freeGPUs: [GPUDevice] = [],
        gpuSource: GPUInventory.Source = .none
    ) {
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.gpus = gpus
        self.freeGPUs = freeGPUs
        self.gpuSource = gpuSource
    }
}

/// A run that an earlier Penstock started.
package struct Leftover: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case alive(ProcessIdentity)
        case ended(ReplicaEnd)
    }

    package var record: ReplicaRecord
    package var state: State

    package init(record: ReplicaRecord, state: State) {
        self.record = record
        self.state = state
    }

    package var isAlive: Bool {
        if case .alive = state { true } else { false }
    }
}
