// A small secret in a file of its own, readable by this user only: made once, read ever after.
// It appears under its name whole and durable, or not at all.

import Foundation

struct SecretFile {
    let url: URL

    var path: String { url.path(percentEncoded: false) }

    /// The content, made by `content` if there is no file yet.
    func readOrMake(_ content: () -> Data) throws -> Data {
        do {
            if FileManager.default.fileExists(atPath: path) {
                // An operator's copy or a restored backup may have come with wider permissions.
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600], ofItemAtPath: path)
                return try Data(contentsOf: url)
            }
            let data = content()
            try write(data)
            return data
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
    }

    /// Empty file, permissions, content, disk, name: in this order nobody else ever reads it.
    private func write(_ data: Data) throws {
        let draft = url.appendingPathExtension("\(UUID().uuidString).new")
        let draftPath = draft.path(percentEncoded: false)
        guard
            FileManager.default.createFile(
                atPath: draftPath, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
        do {
            let file = try FileHandle(forWritingTo: draft)
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
            try FileManager.default.moveItem(at: draft, to: url)
        } catch {
            // The first error is the one to tell; a draft left behind is empty or harmless.
            try? FileManager.default.removeItem(at: draft)
            throw error
        }
    }
}
