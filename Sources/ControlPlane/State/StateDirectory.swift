// The files of a state directory, and how one is written so that it is whole or not there.

package import Foundation

package enum StateDirectory {
    static func databaseFile(in directory: URL) -> URL { directory.appending(path: "penstock.db") }

    package static func checkpointFile(in directory: URL) -> URL {
        directory.appending(path: "audit.checkpoint")
    }

    static func create(_ directory: URL) throws {
        let path = directory.path(percentEncoded: false)
        if FileManager.default.fileExists(atPath: path) { return }
        do {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
    }

    /// Replaces a small file that is no secret; whole, and durable when this returns.
    static func write(_ text: String, to file: URL) throws {
        let path = file.path(percentEncoded: false)
        do {
            try Data(text.utf8).write(to: file, options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try synchronize(file)
            try synchronize(file.deletingLastPathComponent())
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
    }

    /// 0 for a file that is not there.
    static func bytes(of path: String) -> Int64 {
        // Whatever keeps its size from being known will be met, and told, by who opens it.
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }

    /// Makes sure that only this user reads the database, also in a directory that others may
    /// enter. SQLite gives a new log the same permissions.
    static func narrow(_ path: String) throws {
        do {
            if !FileManager.default.fileExists(atPath: path) {
                try makePrivate(URL(filePath: path))
            }
            for file in [path, path + "-wal", path + "-shm"]
            where FileManager.default.fileExists(atPath: file) {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600], ofItemAtPath: file)
            }
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
    }

    /// An empty file that only this user may read, before anything is in it.
    static func makePrivate(_ file: URL) throws {
        let path = file.path(percentEncoded: false)
        guard
            FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw StateError.unusable(file: path, reason: "cannot be created") }
    }

    /// A file's content, or what a directory lists, survives a power cut.
    static func synchronize(_ file: URL) throws {
        let handle = try FileHandle(forReadingFrom: file)
        try handle.synchronize()
        try handle.close()
    }
}
