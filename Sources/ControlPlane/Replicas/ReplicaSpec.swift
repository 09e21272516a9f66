// What one replica is: its command with the places still in it, its environment, what it may use.
// A pure value; nothing here touches the system.

import Crypto
import Foundation

package struct ReplicaSpec: Sendable, Equatable {
    /// Unique among live replicas; its log and its socket are named by it.
    package var name: String
    package var deployment: String
    /// 0 where there are none.
    package var revision: Int
    /// The owner's own count, given back with the record: after a crash it tells which start of a
    /// replica was the last to happen.
    package var attempt: Int
    package var model: String
    package var version: String
    /// Program and arguments, with places such as `{address}` and `{artifact}` still in them.
    package var command: [String]
    package var artifact: String?
    package var environment: [String: String]
    /// Names of variables whose values are told to nobody but the replica.
    package var secrets: Set<String>
    /// Penstock's own when nil.
    package var workingDirectory: String?
    package var resources: ReplicaResources
    package var log: LogBounds

    package init(
        name: String, deployment: String, revision: Int = 0, attempt: Int = 0, model: String,
        version: String, command: [String], artifact: String? = nil,
        environment: [String: String] = [:],
        secrets: Set<String> = [], workingDirectory: String? = nil,
        resources: ReplicaResources = ReplicaResources(), log: LogBounds = LogBounds()
    ) {
        self.name = name
        self.deployment = deployment
        self.revision = revision
        self.attempt = attempt
        self.model = model
        self.version = version
        self.command = command
        self.artifact = artifact
        self.environment = environment
        self.secrets = secrets
        self.workingDirectory = workingDirectory
        self.resources = resources
        self.log = log
    }

    package init(
        deployment: String, index: Int, model: String, version: String, command: [String],
        artifact: String? = nil, environment: [String: String] = [:],
        workingDirectory: String? = nil
    ) {
        self.init(
            name: "\(deployment)-\(index)", deployment: deployment, model: model,
            version: version, command: command, artifact: artifact, environment: environment,
            workingDirectory: workingDirectory)
    }

    /// Of what runs, whatever it is called: equal digests run the same.
    package var digest: String {
        let content = Content(
            model: model, version: version, command: command, artifact: artifact,
            environment: environment, directory: workingDirectory, resources: resources)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Strings and finite numbers always encode; infinite cores never get here.
        guard let bytes = try? encoder.encode(content) else { return "" }
        return SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Whether it wants a port; otherwise it gets a socket.
    package var wantsPort: Bool {
        (command + environment.values).contains { $0.contains("{port}") || $0.contains("{host}") }
    }

    private struct Content: Encodable {
        var model: String
        var version: String
        var command: [String]
        var artifact: String?
        var environment: [String: String]
        var directory: String?
        var resources: ReplicaResources
    }
}
