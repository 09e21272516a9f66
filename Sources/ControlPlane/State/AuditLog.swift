// Reading and verifying the audit log through any reader of the database: the running store's, or a
// program's that looks at the files of a state directory. Large logs go by in pieces.

package import Foundation
import GRDB

package struct AuditLog: Sendable {
    private let reader: any DatabaseReader
    private let path: String
    /// Of the directory; what `verify` holds the log against.
    private let checkpointFile: URL

    init(_ reader: any DatabaseReader, directory: URL) {
        self.reader = reader
        path = StateDirectory.databaseFile(in: directory).path(percentEncoded: false)
        checkpointFile = StateDirectory.checkpointFile(in: directory)
    }

    /// Walks the whole chain, and holds it against a signed checkpoint: the given one, else the
    /// directory's own.
    package func verify(against given: AuditCheckpoint? = nil) async throws -> AuditVerdict {
        let checkpoint = try given ?? AuditLog.checkpoint(in: checkpointFile)
        let base = try await read { try AuditTable.base(in: $0) }
        var walk = AuditChain.Walk(after: base.id, hash: base.hash)
        var seen = CheckpointSight(checkpoint, base: base)
        walking: while true {
            let after = walk.lastID
            let links = try await read {
                try AuditTable.links(after: after, limit: AuditLog.piece, in: $0)
            }
            for link in links {
                guard walk.take(link) else { break walking }
                seen.pass(link)
            }
            if links.count < AuditLog.piece { break }
        }
        let fault = walk.fault ?? seen.fault(at: walk.lastID)
        return AuditVerdict(
            isIntact: fault == nil, entriesChecked: walk.checked,
            firstBad: fault.map { UInt64($0.id) }, reason: fault?.reason,
            signedUpTo: seen.isMet ? checkpoint?.lastID ?? 0 : 0)
    }

    /// Every entry after one, oldest first, as JSON, one a line.
    package func export(
        since id: UInt64 = 0, _ line: @Sendable (String) async throws -> Void
    ) async throws {
        var last = Int64(clamping: id)
        while true {
            let after = last
            let links = try await read {
                try AuditTable.links(after: after, limit: AuditLog.piece, in: $0)
            }
            for link in links { try await line(try JSONText.encode(AuditEntry(link))) }
            guard let end = links.last, links.count == AuditLog.piece else { return }
            last = end.id
        }
    }

    package static func checkpoint(in file: URL) throws -> AuditCheckpoint? {
        let path = file.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let text: String
        do {
            text = try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
        // What a power cut may leave of a file just made.
        if text.isEmpty { return nil }
        return try JSONText.decode(AuditCheckpoint.self, from: text, of: path)
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await reader.read(body)
        } catch {
            throw Store.translated(error, path)
        }
    }

    private static let piece = 1000
}

/// Whether the entry that a checkpoint names passes by with the hash it names.
private struct CheckpointSight {
    private let checkpoint: AuditCheckpoint?
    private(set) var isMet = false

    init(_ checkpoint: AuditCheckpoint?, base: (id: Int64, hash: [UInt8])) {
        self.checkpoint = checkpoint
        see(base.id, base.hash)
        // Entries that were let go since cannot be met any more; the next checkpoint covers that.
        if let checkpoint, checkpoint.isGenuine, base.id > Int64(clamping: checkpoint.lastID) {
            isMet = true
        }
    }

    mutating func pass(_ link: AuditChain.Link) { see(link.id, link.hash) }

    private mutating func see(_ id: Int64, _ hash: [UInt8]) {
        guard let checkpoint, id == Int64(clamping: checkpoint.lastID), checkpoint.isGenuine
        else { return }
        if Hexadecimal.text(hash) == checkpoint.lastHash { isMet = true }
    }

    func fault(at last: Int64) -> (id: Int64, reason: String)? {
        guard let checkpoint, !isMet else { return nil }
        if !checkpoint.isGenuine {
            return (0, "the signature of the checkpoint is not good")
        }
        let id = Int64(clamping: checkpoint.lastID)
        if last < id {
            return (
                last + 1,
                "entries are missing at the end: the signed checkpoint of "
                    + "\(Moment.text(checkpoint.at)) reached \(id)"
            )
        }
        return (id, "it is not the entry that the signed checkpoint vouches for")
    }
}
