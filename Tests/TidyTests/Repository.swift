// The repository as a value: its text files and the paths of everything in it. Rules take this and
// nothing else, so a sample repository in a test is a dictionary.

import Foundation

struct Repository: Sendable {
    let files: [SourceFile]
    /// Every file and folder, also those that are not text.
    let paths: Set<String>

    init(_ texts: [String: String], otherPaths: Set<String> = []) {
        files = texts.map { SourceFile(path: $0.key, text: $0.value) }.sorted { $0.path < $1.path }
        paths = Set(texts.keys).union(otherPaths).reduce(into: []) { paths, path in
            var parts = path.split(separator: "/")
            while !parts.isEmpty {
                paths.insert(parts.joined(separator: "/"))
                parts.removeLast()
            }
        }
    }

    /// Modules of a plane: the folders under `Sources/<plane>`.
    func modules(of plane: String) -> Set<String> {
        let prefix = "Sources/\(plane)/"
        let inside = files.map(\.path).filter { $0.hasPrefix(prefix) }
        return Set(inside.map { String($0.dropFirst(prefix.count).prefix { $0 != "/" }) })
    }

    func file(_ path: String) -> SourceFile? {
        files.first { $0.path == path }
    }
}

extension Repository {
    /// Reads the repository that contains this file.
    static func onDisk(_ here: String = #filePath) throws -> Repository {
        let root = URL(filePath: here).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        var texts: [String: String] = [:]
        var others: Set<String> = []
        for path in try list(root, below: "") {
            if isText(path), let data = try? Data(contentsOf: root.appending(path: path)) {
                // A file that vanished since it was listed is nobody's violation.
                texts[path] = String(decoding: data, as: UTF8.self)
            } else {
                others.insert(path)
            }
        }
        return Repository(texts, otherPaths: others)
    }

    private static func isText(_ path: String) -> Bool {
        let suffixes = [".swift", ".c", ".h", ".py", ".md", ".yaml", ".service"]
        return suffixes.contains { path.hasSuffix($0) } || path == "Makefile"
            || path.hasPrefix("scripts/")
    }

    private static func list(_ root: URL, below folder: String) throws -> [String] {
        let generated: Set = ["__pycache__", "node_modules", "var"]
        let keys: Set<URLResourceKey> = [.isDirectoryKey]
        let entries = try FileManager.default.contentsOfDirectory(
            at: root.appending(path: folder), includingPropertiesForKeys: Array(keys))
        return try entries.flatMap { entry -> [String] in
            let name = entry.lastPathComponent
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard try entry.resourceValues(forKeys: keys).isDirectory == true else { return [path] }
            let isHidden = name.hasPrefix(".") && name != ".ci"
            if isHidden || generated.contains(name) { return [] }
            return try list(root, below: path)
        }
    }
}
