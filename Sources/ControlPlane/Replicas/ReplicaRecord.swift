// Which run a replica is: on disk for the next Penstock, and in the state of whoever owns it. Small
// and without secrets. A process is the same only if boot, number and start time all are: numbers
// are used again.

package import Foundation

package struct ReplicaRecord: Sendable, Equatable, Codable {
    package var replica: String
    package var deployment: String
    package var revision: Int
    /// Which try of its owner this is, as the spec says.
    package var attempt: Int
    /// 1, 2, … per replica name; logs and dossiers are told apart by it.
    package var run: Int
    /// Known to the replica's shim and to Penstock only.
    package var nonce: String
    /// The digest of the spec: what is equal runs the same.
    package var specDigest: String
    package var address: ReplicaAddress
    /// Identifiers of the GPUs it alone uses.
    package var gpus: [String]
    package var startedAt: Date
    package var enforcement: [ResourceKind: Enforcement]

    package init(
        replica: String, deployment: String, revision: Int, attempt: Int = 0, run: Int,
        nonce: String,
        specDigest: String, address: ReplicaAddress, gpus: [String] = [], startedAt: Date,
        enforcement: [ResourceKind: Enforcement] = [:]
    ) {
        self.replica = replica
        self.deployment = deployment
        self.revision = revision
        self.attempt = attempt
        self.run = run
        self.nonce = nonce
        self.specDigest = specDigest
        self.address = address
        self.gpus = gpus
        self.startedAt = startedAt
        self.enforcement = enforcement
    }
}

/// Where a replica answers.
package enum ReplicaAddress: Sendable, Hashable, Codable, CustomStringConvertible {
    case unix(path: String)
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): "\(host):\(port)"
        }
    }

    var port: Int? {
        if case .tcp(_, let port) = self { port } else { nil }
    }

    var socket: String? {
        if case .unix(let path) = self { path } else { nil }
    }
}

package struct ProcessIdentity: Sendable, Hashable, Codable {
    package var process: Int32
    /// Clock ticks from boot to its start.
    package var startTicks: UInt64
    package var boot: String

    package init(process: Int32, startTicks: UInt64, boot: String) {
        self.process = process
        self.startTicks = startTicks
        self.boot = boot
    }
}
