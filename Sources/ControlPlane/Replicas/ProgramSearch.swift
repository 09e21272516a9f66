// Where a command's program is: a path as it stands, a name beside the penstock executable, then
// in PATH. What is found but may not be run is an error of its own.

import Foundation

package struct ProgramSearch: Sendable {
    let directories: [String]

    package init(directories: [String]) {
        self.directories = directories
    }

    /// Beside this program, then PATH.
    package init(environment: [String: String]) {
        directories =
            [Self.ownDirectory]
            + (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map(String.init)
    }

    /// Where this process was started from. Looked up once, at the start: later the file may have
    /// been moved or replaced, and the models beside its successor are still the ones meant.
    package static let ownDirectory = directory(
        // Without /proc nothing here runs; PATH is searched then.
        ofExecutable: (try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/exe")) ?? "")

    /// Of what /proc says: the kernel adds " (deleted)" to the name of a file that is gone, so a
    /// path is not to be resolved again.
    package static func directory(ofExecutable path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "/" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package func program(_ name: String) throws(ReplicaError) -> String {
        guard !name.isEmpty else { throw .noCommand }
        let candidates =
            name.contains("/")
            ? [name]
            : directories.map {
                URL(filePath: $0).appending(path: name).path(percentEncoded: false)
            }
        var blocked: String?
        for path in candidates {
            // Not there, or not to be looked at: the next place may have it.
            let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
            let attributes = try? FileManager.default.attributesOfItem(atPath: target)
            guard let kind = attributes?[.type] as? FileAttributeType, kind == .typeRegular
            else { continue }
            if FileManager.default.isExecutableFile(atPath: path) { return path }
            blocked = blocked ?? path
        }
        if let blocked { throw .programNotExecutable(blocked) }
        throw .programNotFound(name, searched: name.contains("/") ? [name] : directories)
    }
}
