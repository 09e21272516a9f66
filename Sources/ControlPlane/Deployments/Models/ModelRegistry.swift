// Which files a model's version is. A version is registered once and never changes: its digest is
// taken then and compared before each start, so what runs is what was registered. The protocol is
// all that deployments know; a registry with uploads and signatures can stand behind it.

package import Foundation
package import Notation
package import State

package protocol ModelRegistry: Sendable {
    /// Newest first; nil lists every model's.
    func versions(of model: String?) async throws -> [ModelVersion]

    /// - Throws: `ModelError.unknown`.
    func version(_ version: String, of model: String) async throws -> ModelVersion

    /// Takes the digest of what is at the path and remembers it. The same again is no
    /// error, and gives what was registered then.
    ///
    /// - Parameter isDryRun: makes all checks, and remembers nothing.
    /// - Throws: `ModelError.differs` when the version is registered with other content.
    func register(
        _ draft: ModelVersionDraft, by actor: String, at: Date, isDryRun: Bool
    ) async throws -> ModelVersion

    /// As `register`, for something larger: all checks are made and nothing is remembered.
    func proposed(
        _ draft: ModelVersionDraft, by actor: String, at: Date
    ) async throws -> ProposedVersion

    /// What a transaction must hold to register a proposed version with the rest of it.
    func add(_ proposed: ProposedVersion, to transaction: inout Transaction) throws

    /// Reads the files again and compares.
    ///
    /// - Throws: `ModelError.altered`, `.missing`.
    func verify(_ artifact: ArtifactRecord) async throws

    func remove(_ version: String, of model: String, by actor: String, at: Date) async throws
}

extension ModelRegistry {
    package func register(
        _ draft: ModelVersionDraft, by actor: String, at moment: Date
    ) async throws -> ModelVersion {
        try await register(draft, by: actor, at: moment, isDryRun: false)
    }
}

/// A version that could be registered, or is.
package struct ProposedVersion: Sendable, Equatable {
    package var version: ModelVersion
    /// Nobody has registered it yet.
    package var isNew: Bool

    package init(_ version: ModelVersion, isNew: Bool) {
        self.version = version
        self.isNew = isNew
    }
}

/// What a version is made of, by digest.
package struct ArtifactRecord: Sendable, Hashable, Codable {
    package var model: String
    package var version: String
    /// Absolute; what `{artifact}` becomes.
    package var path: String
    package var isDirectory: Bool
    /// Hexadecimal; of a file its SHA-256, of a directory that of its listing (`ArtifactDigest`).
    package var sha256: String
    package var bytes: Int64
    package var files: Int

    package init(
        model: String, version: String, path: String, isDirectory: Bool, sha256: String,
        bytes: Int64, files: Int
    ) {
        self.model = model
        self.version = version
        self.path = path
        self.isDirectory = isDirectory
        self.sha256 = sha256
        self.bytes = bytes
        self.files = files
    }
}

package struct ModelVersion: Sendable, Equatable, Codable {
    /// Nil when the version has no files: its command needs none.
    package var artifact: ArtifactRecord?
    package var model: String
    package var version: String
    package var description: String
    /// Fields of a deployment that this version suggests: command, args, env, resources.
    package var defaults: JSONValue
    package var registeredAt: Date
    package var registeredBy: String

    package init(
        artifact: ArtifactRecord?, model: String, version: String, description: String,
        defaults: JSONValue, registeredAt: Date, registeredBy: String
    ) {
        self.artifact = artifact
        self.model = model
        self.version = version
        self.description = description
        self.defaults = defaults
        self.registeredAt = registeredAt
        self.registeredBy = registeredBy
    }
}

package struct ModelVersionDraft: Sendable, Equatable {
    package var model: String
    package var version: String
    /// Absolute path of a file or directory.
    package var artifact: String?
    /// What the digest must be; nil takes what it is.
    package var sha256: String?
    package var description = ""
    package var defaults = JSONValue.object([JSONValue.Member]())

    package init(model: String, version: String, artifact: String? = nil, sha256: String? = nil) {
        self.model = model
        self.version = version
        self.artifact = artifact
        self.sha256 = sha256
    }
}

package enum ModelError: Error, Sendable, Equatable {
    case unknown(model: String, version: String, known: [String])
    case unknownModel(String)
    case missing(path: String)
    case unreadable(path: String, reason: String)
    /// A directory holds what has no stable content: a socket, a link that leads out of it.
    case unfit(path: String, reason: String)
    case tooMany(path: String, files: Int)
    /// Registered before, with another digest.
    case differs(model: String, version: String, registered: String, found: String)
    /// The digest that was asked for is not the one of the files.
    case unexpected(path: String, expected: String, found: String)
    /// Changed since it was registered.
    case altered(ArtifactRecord, found: String)
    case inUse(model: String, version: String, deployments: [String])
}
