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
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        directories =
            [own.deletingLastPathComponent().path(percentEncoded: false)]
            + (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map(String.init)
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
