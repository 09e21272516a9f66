// The digest of a model's files, streamed: memory does not grow with the model. A file's digest is
// its SHA-256. A directory's is the SHA-256 of its listing, one line a file, sorted by the bytes of
// the path: `<sha256> <bytes> <path>`; so it depends on names and contents and on nothing else.

import Crypto
import Foundation

package struct ArtifactDigest: Sendable, Equatable {
    package var sha256: String
    package var bytes: Int64
    package var files: Int
    package var isDirectory: Bool

    /// Reads all of it; for a thread that may wait.
    ///
    /// - Parameter isCancelled: asked now and then; a model may have many gigabytes.
    /// - Throws: `ModelError`, or `CancellationError`.
    package static func read(
        _ path: String, isCancelled: () -> Bool = { false }
    ) throws -> ArtifactDigest {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ModelError.missing(path: path)
        }
        let resolved = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        if try kind(resolved) == .folder { return try directory(resolved, isCancelled) }
        let (sha256, bytes) = try file(resolved, isCancelled)
        return ArtifactDigest(sha256: sha256, bytes: bytes, files: 1, isDirectory: false)
    }

    private static func directory(
        _ root: String, _ isCancelled: () -> Bool
    ) throws -> ArtifactDigest {
        var listing = SHA256()
        var bytes: Int64 = 0
        let paths = try files(below: root)
        for path in paths {
            let (sha256, size) = try file("\(root)/\(path)", isCancelled)
            listing.update(data: Data("\(sha256) \(size) \(path)\n".utf8))
            bytes += size
        }
        return ArtifactDigest(
            sha256: Digest.text(listing.finalize()), bytes: bytes, files: paths.count,
            isDirectory: true)
    }

    /// Relative, sorted by bytes. A link counts as the file it leads to, since caches of models
    /// are made of links; a link to a directory could lead in a circle and is refused.
    private static func files(below root: String) throws -> [String] {
        var found: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try names(in: folder.isEmpty ? root : "\(root)/\(folder)") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                switch try kind("\(root)/\(path)") {
                case .folder: folders.append(path)
                case .file: found.append(path)
                }
                guard found.count + folders.count <= Limits.artifactFiles else {
                    throw ModelError.tooMany(path: root, files: Limits.artifactFiles)
                }
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func names(in folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw ModelError.unreadable(path: folder, reason: error.localizedDescription)
        }
    }

    private enum Kind { case file, folder }

    private static func kind(_ path: String) throws -> Kind {
        let type = try attributes(path)[.type] as? FileAttributeType
        switch type {
        case .typeDirectory: return .folder
        case .typeRegular: return .file
        case .typeSymbolicLink:
            let target = URL(filePath: path).resolvingSymlinksInPath()
                .path(percentEncoded: false)
            let found = try attributes(target)[.type] as? FileAttributeType
            guard found == .typeRegular else {
                throw ModelError.unfit(path: path, reason: "a link that leads to no file")
            }
            return .file
        default: throw ModelError.unfit(path: path, reason: "neither a file nor a directory")
        }
    }

    private static func attributes(_ path: String) throws -> [FileAttributeKey: Any] {
        do {
            return try FileManager.default.attributesOfItem(atPath: path)
        } catch {
            throw ModelError.unreadable(path: path, reason: error.localizedDescription)
        }
    }

    private static func file(
        _ path: String, _ isCancelled: () -> Bool
    ) throws -> (sha256: String, bytes: Int64) {
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            // The descriptor was only read; nothing is lost when closing it fails.
            defer { try? handle.close() }
            var hash = SHA256()
            var bytes: Int64 = 0
            while let part = try handle.read(upToCount: Limits.readBytes), !part.isEmpty {
                if isCancelled() { throw CancellationError() }
                hash.update(data: part)
                bytes += Int64(part.count)
            }
            return (Digest.text(hash.finalize()), bytes)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ModelError.unreadable(path: path, reason: error.localizedDescription)
        }
    }
}
