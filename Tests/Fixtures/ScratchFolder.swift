// A folder of a test's own: it is there with the first file that the test makes in it, and gone
// with everything in it when the test lets go of it.

package import Foundation

package final class ScratchFolder: Sendable {
    package let url = FileManager.default.temporaryDirectory
        .appending(path: "penstock-\(UUID().uuidString)", directoryHint: .isDirectory)

    package init() {}

    /// There at once, for tests whose files are made by what they test.
    package static func made() throws -> ScratchFolder {
        let folder = ScratchFolder()
        try FileManager.default.createDirectory(
            at: folder.url, withIntermediateDirectories: true)
        return folder
    }

    deinit {
        // A scratch folder left behind harms nobody, and one never made is not there.
        try? FileManager.default.removeItem(at: url)
    }

    package var path: String { url.path(percentEncoded: false) }

    /// The place of a file in it, which need not be there.
    package func file(_ name: String) -> URL { url.appending(path: name) }

    package func path(of name: String) -> String { file(name).path(percentEncoded: false) }

    /// All that a file in it holds.
    package func text(of name: String) throws -> String {
        try String(contentsOf: file(name), encoding: .utf8)
    }

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
