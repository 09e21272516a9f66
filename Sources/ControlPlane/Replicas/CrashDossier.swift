// What is worth knowing about a run that failed, in one piece: how it ended, why, its last words on
// both outputs, what it used, how it was started. Kept on disk, so that it can still be read when
// replica and Penstock are long gone.

package import Foundation

package struct CrashDossier: Sendable, Equatable, Codable {
    package var replica: String
    package var deployment: String
    package var revision: Int
    package var run: Int
    package var model: String
    package var version: String
    package var startedAt: Date
    package var endedAt: Date
    package var exit: ReplicaExit
    package var cause: String
    /// Secrets in it are replaced.
    package var commandLine: [String]
    package var lastOut: [String]
    package var lastError: [String]
    /// Output that could not be written.
    package var lostLines: Int
    package var residentBytesMax: Int
    package var cpuSeconds: Double
    package var resources: ReplicaResources
    package var enforcement: [ResourceKind: Enforcement]
    package var gpus: [String]

    package init(
        replica: String,
        deployment: String,
        revision: Int,
        run: Int,
        model: String,
        version: String,
        startedAt: Date,
        endedAt: Date,
        exit: ReplicaExit,
        cause: String,
        commandLine: [String],
        lastOut: [String],
        lastError: [String],
        lostLines: Int,
        residentBytesMax: Int,
        cpuSeconds: Double,
        resources: ReplicaResources,
        enforcement: [ResourceKind: Enforcement],
        gpus: [String]
    ) {
        self.replica = replica
        self.deployment = deployment
        self.revision = revision
        self.run = run
        self.model = model
        self.version = version
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.exit = exit
        self.cause = cause
        self.commandLine = commandLine
        self.lastOut = lastOut
        self.lastError = lastError
        self.lostLines = lostLines
        self.residentBytesMax = residentBytesMax
        self.cpuSeconds = cpuSeconds
        self.resources = resources
        self.enforcement = enforcement
        self.gpus = gpus
    }

    package var seconds: Double { endedAt.timeIntervalSince(startedAt) }
}
