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

    package var seconds: Double { endedAt.timeIntervalSince(startedAt) }
}
