// A folder of a test's own: it is there with the first file that the test makes in it, and gone
// with everything in it when the test lets go of it.

package import Foundation

package final class ScratchFolder: Sendable {
    package let url = FileManager.default.temporaryDirectory
        .appending(path: "penstock-\(UUID().uuidString)", directoryHint: .isDirectory)

    package init() {}

    deinit {
        // A scratch folder left behind harms nobody, and one never made is not there.
        try? FileManager.default.removeItem(at: url)
    }

    package var path: String { url.path(percentEncoded: false) }

    /// The place of a file in it, which need not be there.
    package func file(_ name: String) -> URL { url.appending(path: name) }

    /// Writes a file into it, and the folders on the way.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> URL {
        let file = file(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file
    }
}
