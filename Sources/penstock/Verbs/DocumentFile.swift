// Files of deployments as the command line reads them: by path, or from standard input as '-'.

import Foundation
import Notation
import Settings

enum DocumentFile {
    static func read(_ path: String, isWhole: Bool = true) throws -> DeploymentDocuments {
        let isInput = path == "-"
        let directory =
            isInput
            ? URL(filePath: FileManager.default.currentDirectoryPath)
            : URL(filePath: path).absoluteURL.deletingLastPathComponent().standardizedFileURL
        do {
            return try DeploymentDocuments.read(
                try bytes(path), file: isInput ? "standard input" : path,
                directory: directory.path(percentEncoded: false), isWhole: isWhole)
        } catch let error as SettingsError {
            throw Failure(.usage, error.description)
        }
    }

    /// The only document of a file; what it lacks may be said elsewhere.
    static func single(_ path: String) throws -> JSONValue {
        let found = try read(path, isWhole: false)
        guard found.documents.count == 1 else {
            throw Failure(
                .usage,
                "\(path): has \(found.documents.count) deployments where one is expected; "
                    + "penstock apply -f takes several")
        }
        return found.documents[0]
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        if path == "-" {
            return [UInt8](try FileHandle.standardInput.readToEnd() ?? Data())
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.notFound, "\(path): there is no such file")
        }
        do {
            // A pipe of the shell, `<(…)`, is read as well.
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            return [UInt8](try file.readToEnd() ?? Data())
        } catch {
            throw Failure(.error, "\(path): cannot be read: \(error.localizedDescription)")
        }
    }
}
