// The files of all replicas under the state directory: a folder a replica for what lives as long as
// a run, its output in `logs`, what is known about failed runs in `dossiers`; and where sockets go
// whose paths the kernel limits to 107 bytes. All for the owner only.

package import Foundation

package struct ReplicaFiles: Sendable {
    package let replicas: URL
    package let logs: URL
    package let dossiers: URL
    private let sockets: URL
    /// For sockets whose path would be too long beside the others. Made when it is needed.
    package let shortSockets: URL
    /// Eight characters that tell this state directory from others.
    package let tag: String

    package init(state: URL, temporary: URL = FileManager.default.temporaryDirectory) throws {
        let state = state.absoluteURL
        tag = Self.tag(state.path(percentEncoded: false))
        replicas = state.appending(path: "replicas", directoryHint: .isDirectory)
        logs = state.appending(path: "logs", directoryHint: .isDirectory)
        dossiers = state.appending(path: "dossiers", directoryHint: .isDirectory)
        sockets = state.appending(path: "run", directoryHint: .isDirectory)
        shortSockets = temporary.absoluteURL.appending(
            path: "penstock-\(tag)", directoryHint: .isDirectory)
        for directory in [replicas, logs, dossiers, sockets] {
            try Self.makePrivate(directory)
        }
        for door in Self.doors { try makeSocketFolder(door) }
    }

    /// The gateway's own sockets among them: for proofs, and for notices.
    private static let doors = [".proof", ".notices"]

    package func socket(_ replica: String) -> String {
        let near = Self.path(sockets, "\(replica).sock")
        let isShort = near.utf8.count <= Limits.socketPathBytes
        return isShort ? near : Self.path(shortSockets, "\(replica).sock")
    }

    /// The folder that the socket lies in is there, and ours alone.
    func makeSocketFolder(_ replica: String) throws {
        let isShort = socket(replica).hasPrefix(Self.path(shortSockets, ""))
        try Self.makePrivate(isShort ? shortSockets : sockets)
    }

    /// Nothing stays behind where all may write, unless somebody's socket is still in it.
    package func removeShortSockets() {
        // Not made, or not empty, it stays as it is.
        _ = Kernel.removeDirectory(Self.path(shortSockets, ""))
    }

    package func folder(_ replica: String) -> String { Self.path(replicas, replica) }
    func record(_ replica: String) -> String { Self.path(replicas, "\(replica)/run.json") }
    func status(_ replica: String) -> String { Self.path(replicas, "\(replica)/status") }
    package func log(_ replica: String, of deployment: String) -> String {
        Self.path(logs, "\(deployment)/\(replica)")
    }
    func dossiers(of deployment: String) -> String { Self.path(dossiers, deployment) }

    /// A directory that others could have made first, where all may, is only used if it is ours:
    /// a socket's access control is the directory it lies in.
    private static func makePrivate(_ directory: URL) throws {
        let files = FileManager.default
        let path = path(directory, "")
        try files.createDirectory(
            at: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
        let attributes = try files.attributesOfItem(atPath: trimmed)
        let owner = attributes[.ownerAccountID] as? Int
        let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
        guard isDirectory, owner == Kernel.user else {
            throw ReplicaError.file(trimmed, reason: "is not a directory of this user's own")
        }
        try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: trimmed)
    }

    private static func path(_ directory: URL, _ file: String) -> String {
        file.isEmpty
            ? directory.path(percentEncoded: false)
            : directory.appending(path: file).path(percentEncoded: false)
    }

    private static func tag(_ path: String) -> String {
        let sum = ShimStatus.checksum(Array(path.utf8)[...])
        let digits = String(sum, radix: 16)
        return String((String(repeating: "0", count: 16 - digits.count) + digits).suffix(8))
    }
}
