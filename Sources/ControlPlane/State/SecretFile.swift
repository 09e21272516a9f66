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

/// The secrets of a state directory.
extension SecretFile {
    static func adminToken(in directory: URL) throws -> AdminToken {
        let file = SecretFile(url: directory.appending(path: "admin.token"))
        let data = try file.readOrMake {
            var generator = SystemRandomNumberGenerator()
            return Data((AdminToken.make(using: &generator).text + "\n").utf8)
        }
        let text = String(bytes: data, encoding: .utf8) ?? ""
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let token = AdminToken(trimmed) else {
            throw StateError.malformedSecret(file: file.path, expected: "an admin token (pst_a…)")
        }
        return token
    }

    /// Signs sticky cookies, so that they stay good over restarts.
    static func stickyKey(in directory: URL) throws -> [UInt8] {
        try randomKey("sticky.key", bytes: 16, in: directory)
    }

    /// Signs page tokens.
    static func pageKey(in directory: URL) throws -> [UInt8] {
        try randomKey("page.key", bytes: 32, in: directory)
    }

    /// It is made once the database is: where it is, there has been one.
    static func hasPageKey(in directory: URL) -> Bool {
        FileManager.default.fileExists(
            atPath: directory.appending(path: "page.key").path(percentEncoded: false))
    }

    /// Seals secrets of deployments.
    static func secretsKey(in directory: URL) throws -> [UInt8] {
        try randomKey("secrets.key", bytes: 32, in: directory)
    }

    /// Signs checkpoints of the audit log.
    static func auditKey(in directory: URL) throws -> AuditKey {
        let bytes = try key("audit.key", bytes: 32, in: directory, make: AuditKey.make)
        return try AuditKey(bytes: bytes)
    }

    private static func randomKey(
        _ name: String, bytes: Int, in directory: URL
    ) throws -> [UInt8] {
        try key(name, bytes: bytes, in: directory) {
            var generator = SystemRandomNumberGenerator()
            return (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
    }

    private static func key(
        _ name: String, bytes: Int, in directory: URL, make: () -> [UInt8]
    ) throws -> [UInt8] {
        let file = SecretFile(url: directory.appending(path: name))
        let data = try file.readOrMake { Data(make()) }
        guard data.count == bytes else {
            throw StateError.malformedSecret(
                file: file.path, expected: "a key of \(bytes) bytes")
        }
        return [UInt8](data)
    }
}
