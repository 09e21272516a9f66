// What a configuration names outside itself: files, programs, places to write to. Readings ask here
// and note the complaint at the place of the name, so that a file is checked with what it needs.

import Foundation
import Notation

package struct Surroundings: Sendable {
    /// Why a path is of no use; nil when it is.
    package typealias Complaint = @Sendable (_ name: String) -> String?

    package var file: Complaint
    package var log: Complaint
    package var program: Complaint
    /// Why a certificate and its key, files that can be read, cannot be used together.
    package var identity: @Sendable (_ certificate: String, _ key: String) -> String?
    /// Why a file of authorities cannot be used.
    package var authorities: Complaint

    /// Everything named is taken to be there: for those who only want to know what a file says.
    package static let unseen = Surroundings(
        file: { _ in nil }, log: { _ in nil }, program: { _ in nil }, identity: { _, _ in nil },
        authorities: { _ in nil })

    /// This machine, as this user sees it.
    package static func seen(
        program: @escaping Complaint,
        identity: @escaping @Sendable (_ certificate: String, _ key: String) -> String?,
        authorities: @escaping Complaint
    ) -> Surroundings {
        Surroundings(
            file: complaint(ofFile:), log: complaint(ofLog:), program: program,
            identity: identity, authorities: authorities)
    }

    private static func complaint(ofFile path: String) -> String? {
        guard FileManager.default.fileExists(atPath: path) else {
            return "\(Spelling.quoted(path)) does not exist"
        }
        return FileManager.default.isReadableFile(atPath: path)
            ? nil : "\(Spelling.quoted(path)) cannot be read"
    }

    /// It need not be there, but then its folder must.
    private static func complaint(ofLog path: String) -> String? {
        let files = FileManager.default
        if files.fileExists(atPath: path) {
            // What cannot be looked at cannot be written to either, and is told as that.
            let kind = try? files.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            if kind == .typeDirectory { return "\(Spelling.quoted(path)) is a directory" }
            return files.isWritableFile(atPath: path)
                ? nil : "\(Spelling.quoted(path)) cannot be written to"
        }
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        return files.isWritableFile(atPath: folder)
            ? nil : "\(Spelling.quoted(folder)) does not exist or cannot be written to"
    }
}
