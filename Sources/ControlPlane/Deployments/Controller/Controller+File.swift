// `deployments:` of the configuration file, applied three ways: what the file says now, what it
// said when it was last applied, and what has been changed since through the API. Fields the file
// did not change keep the API's value. Nothing is deleted: what the file no longer names runs on.

import Foundation
import Logging
import State

extension Controller {
    static let fileActor = "file"

    /// Whether all of it could be applied. Nothing is done.
    package func check(_ specs: [DeploymentSpec]) async throws {
        for spec in specs {
            var asked = fileRequest
            asked.isDryRun = true
            let plan: ChangePlan = try await telling(spec.name) {
                try await self.plan(.apply(spec), of: spec.name, asked: asked)
            }
            guard plan.fit.fits else {
                throw FileError(
                    deployment: spec.name, cause: plan.fit.reasons.joined(separator: "; "))
            }
        }
    }

    package func apply(_ specs: [DeploymentSpec]) async throws {
        for spec in specs {
            try await telling(spec.name) {
                _ = try await perform(.apply(spec), of: spec.name, asked: fileRequest)
            }
        }
        let named = Set(specs.map(\.name))
        for name in entries.keys.sorted() where !named.contains(name) { await orphan(name) }
    }

    /// The file is the administrator's, and its newest word counts.
    private var fileRequest: ChangeRequest {
        var asked = ChangeRequest(
            actor: Self.fileActor, isAdmin: true, onConflict: .supersede)
        asked.source = ChangeRequest.fileSource
        return asked
    }

    /// It came from the file, which names it no more.
    private func orphan(_ name: String) async {
        await lane.enter()
        guard var entry = entries[name], entry.record.source == ChangeRequest.fileSource,
            !entry.record.isOrphaned, entry.record.desire != .deleted
        else { return await lane.leave() }
        entry.record.isOrphaned = true
        var transaction = Transaction(at: surroundings.now(), actor: Self.fileActor)
        transaction.note(
            entry.key, .warning, reason: "NotInFile",
            "the configuration file names it no more; it runs on until it is deleted")
        do {
            try transaction.put(entry.key, .version(entry.version), spec: entry.record)
            let commit = try await store(transaction)
            if let document = commit.documents.first { entry.takeUp(document) }
            entry.sightings = entries[name]?.sightings ?? entry.sightings
            entries[name] = entry
        } catch {
            logger.error(
                "not noted that the file names it no more",
                metadata: ["deployment": "\(name)", "cause": "\(error)"])
        }
        logger.notice(
            "not in the file any more; it runs on until it is deleted",
            metadata: ["deployment": "\(name)"])
        await lane.leave()
    }

    private func telling<Value>(
        _ name: String, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            throw FileError(deployment: name, cause: "\(error)")
        }
    }
}

/// Why the file's deployments cannot be applied.
package struct FileError: Error, Equatable, CustomStringConvertible {
    package var deployment: String
    package var cause: String

    package var description: String { "deployments: '\(deployment)': \(cause)" }
}
