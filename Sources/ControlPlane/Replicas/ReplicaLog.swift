// A replica's output: one file it appends to itself, and the one before. The replica keeps the file
// open, so a large one is copied away and emptied; appending makes the next line start at zero.

import Foundation

package struct ReplicaLog: Sendable {
    package let path: String
    let bytesMax: Int

    package init(path: String) {
        self.init(path: path, bytesMax: Limits.logBytes)
    }

    package init(path: String, bytesMax: Int) {
        self.path = path
        self.bytesMax = bytesMax
    }

    /// Lines written between copying and emptying are lost; a full disk is worse.
    package func rotateIfLarge() {
        let files = FileManager.default
        // No file yet is no reason to rotate.
        let size = (try? files.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        guard size > bytesMax else { return }
        let previous = path + ".1"
        // Best effort: a log that cannot be kept must still be emptied.
        try? files.removeItem(atPath: previous)
        try? files.copyItem(atPath: path, toPath: previous)
        try? FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 0)
    }

    /// The last lines, for the dossier of an exit.
    package func lastLines() -> [String] {
        // A replica that never wrote has no last lines.
        guard let file = try? FileHandle(forReadingFrom: URL(filePath: path)),
            let end = try? file.seekToEnd()
        else { return [] }
        let start = end - min(end, UInt64(Limits.dossierBytes))
        guard (try? file.seek(toOffset: start)) != nil, let bytes = try? file.readToEnd()
        else { return [] }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.suffix(Limits.dossierLines).map(String.init)
    }
}
