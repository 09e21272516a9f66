// The backups that were made through the API, beside the state. They are so many, and the disk that
// the state itself lives on keeps its room; whoever wants more takes some elsewhere first.

import Foundation
import State

struct BackupFolder: Sendable {
    let folder: URL
    private let state: URL

    init(of store: Store) {
        state = store.directory
        folder = state.appending(path: "backups", directoryHint: .isDirectory)
    }

    /// Where a backup of this name goes.
    ///
    /// - Throws: when there is one already, or no room for another.
    func place(for name: String) throws -> URL {
        let file = folder.appending(path: name)
        let path = file.path(percentEncoded: false)
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StateError.wouldReplace(file: path)
        }
        let sizes = Self.sizes(in: folder)
        let next = Self.sizes(in: state).reduce(0, +)
        guard sizes.count < AdminLimits.backups,
            sizes.reduce(next, +) <= AdminLimits.backupBytes
        else {
            throw full("there are \(sizes.count) backups of \(sizes.reduce(0, +)) bytes already")
        }
        // What is written meanwhile needs room, too: without it nothing could be changed any more.
        guard next < freeBytes / 2 else {
            throw full("the disk has \(freeBytes) bytes left, and this backup needs \(next)")
        }
        return file
    }

    func make() throws {
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private func full(_ detail: String) -> Problem {
        Problem(
            status: 409, code: "BACKUPS_FULL", detail: detail,
            hint: "take some of \(folder.path(percentEncoded: false)) elsewhere, or 'penstock "
                + "backup' writes to another place")
    }

    private var freeBytes: Int64 {
        // What cannot be told is no reason to make no backup.
        let system = try? FileManager.default.attributesOfFileSystem(
            forPath: state.path(percentEncoded: false))
        return system?[.systemFreeSize] as? Int64 ?? .max
    }

    /// Of the files, not of folders.
    private static func sizes(in folder: URL) -> [Int64] {
        // No folder: no backup was ever made.
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.fileSizeKey, .isRegularFileKey])
        return (files ?? []).compactMap { file in
            // Gone meanwhile takes no room.
            let values = try? file.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
            return values?.isRegularFile == true ? Int64(values?.fileSize ?? 0) : nil
        }
    }
}
