// A directory of a test's own, gone with the test.

import Foundation

final class ScratchDirectory {
    let url = FileManager.default.temporaryDirectory
        .appending(path: "penstock-state-\(UUID().uuidString)")

    func file(_ name: String) -> URL { url.appending(path: name) }

    func permissions(of file: URL) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: file.path(percentEncoded: false))
        return attributes[.posixPermissions] as? Int
    }

    deinit {
        // Nothing to remove when the test made nothing.
        try? FileManager.default.removeItem(at: url)
    }
}
