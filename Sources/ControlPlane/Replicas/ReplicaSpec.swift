// What one replica is: its command with the places filled in, its environment and its files under
// the state directory. Pure values; nothing here touches the system.

package import Foundation

package struct ReplicaSpec: Sendable, Equatable {
    package var deployment: String
    package var index: Int
    package var model: String
    package var version: String
    /// Program and arguments, with `{address}` and `{artifact}` still in them.
    package var command: [String]
    package var artifact: String?
    package var environment: [String: String]
    /// Penstock's own when nil.
    package var workingDirectory: String?

    package init(
        deployment: String, index: Int, model: String, version: String, command: [String],
        artifact: String? = nil, environment: [String: String] = [:],
        workingDirectory: String? = nil
    ) {
        self.deployment = deployment
        self.index = index
        self.model = model
        self.version = version
        self.command = command
        self.artifact = artifact
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    package var name: String { "\(deployment)-\(index)" }

    package func filled(_ text: String, socket: String) -> String {
        text.replacing("{address}", with: "unix:\(socket)")
            .replacing("{artifact}", with: artifact ?? "")
    }

    /// What the replica sees: what Penstock sees but its own secrets, then what the deployment
    /// sets, then who it is.
    package func variables(inherited: [String: String], socket: String) -> [String: String] {
        var variables = inherited.filter {
            !$0.key.hasPrefix("PENSTOCK_") && $0.key != "NOTIFY_SOCKET"
        }
        variables.merge(environment.mapValues { filled($0, socket: socket) }) { $1 }
        variables["PENSTOCK_DEPLOYMENT"] = deployment
        variables["PENSTOCK_REPLICA"] = name
        variables["PENSTOCK_MODEL"] = model
        variables["PENSTOCK_VERSION"] = version
        variables["PENSTOCK_ADDRESS"] = "unix:\(socket)"
        variables["PENSTOCK_ARTIFACT"] = artifact
        return variables
    }
}

/// The files of all replicas: sockets and records in `run`, output in `logs`.
package struct ReplicaFiles: Sendable {
    package let run: URL
    package let logs: URL

    /// Makes both directories, for the owner only: a socket's file mode is its access control.
    package init(state: URL) throws {
        run = state.absoluteURL.appending(path: "run", directoryHint: .isDirectory)
        logs = state.absoluteURL.appending(path: "logs", directoryHint: .isDirectory)
        for directory in [run, logs] {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
    }

    package func socket(_ name: String) -> String { Self.path(run, "\(name).sock") }
    func record(_ name: String) -> String { Self.path(run, "\(name).json") }
    package func log(_ name: String) -> String { Self.path(logs, "\(name).log") }

    private static func path(_ directory: URL, _ file: String) -> String {
        directory.appending(path: file).path(percentEncoded: false)
    }
}

package enum ReplicaError: Error, Equatable, CustomStringConvertible {
    case noCommand
    case programNotFound(String, searched: [String])
    case programNotExecutable(String)
    case artifactNotFound(String)
    case socketPathTooLong(String)
    case systemCall(String, String)

    package var description: String {
        switch self {
        case .noCommand: "the command is empty"
        case .programNotFound(let name, let searched):
            "program '\(name)' is not found; sought in \(searched.joined(separator: ", "))"
        case .programNotExecutable(let path): "program '\(path)' is not an executable file"
        case .artifactNotFound(let path): "artifact '\(path)' does not exist"
        case .socketPathTooLong(let path):
            "socket path '\(path)' is longer than \(Limits.socketPathBytes) bytes; "
                + "choose a shorter state directory"
        case .systemCall(let call, let reason): "\(call): \(reason)"
        }
    }
}
