// `penstock apply`: what files say, made so. All of it is checked before any of it is done; then
// every deployment is changed three ways, as at a reload, and waited for.

import ArgumentParser
import Console
import Foundation
import Notation
import Settings

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make deployments what files say.",
        usage: """
            penstock apply -f iris.yaml
            penstock apply -f deployments/ --dry-run          # what would be different
            penstock apply -f deployments/ --prune            # and delete what they name no more
            penstock get iris | penstock apply -f -
            """,
        discussion: """
            A file has one deployment, several between lines of ---, a list of them, or a whole \
            configuration, of which only 'deployments:' counts. Fields that the file has changed \
            since it was last applied are changed; all others keep the value they have, whoever \
            set it. Nothing is done unless all of it can be done.

            Each deployment remembers the --source it was applied from. --prune deletes those of \
            this source that the files do not name, and those that the gateway's configuration \
            named once and names no more.
            """)

    @Option(
        name: .shortAndLong, parsing: .upToNextOption,
        help: "Files or folders; '-' is standard input.", completion: .file())
    var file: [String]

    @Flag(help: "Delete what was applied from this source and is not named any more.")
    var prune = false

    @Option(help: "The source again: with --prune and files that name nothing, it is meant.")
    var confirm: String?

    @Option(help: "A name for these files: what belongs together has the same.")
    var source = "apply"

    @Flag(help: "Also deployments that were applied from elsewhere; they belong here from now on.")
    var takeOver = false

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let client = try options.admin.client()
        let documents = try read()
        var application = Application(
            client: client, options: options, source: source, takesOver: takeOver,
            documents: documents.map { $0.withAbsolutePaths(isLocal: client.isLocal) })
        try await application.look(prune: prune)
        try await application.check()
        if options.dryRun { return application.showPlans() }
        try application.checkPruning(confirmed: confirm)
        try await application.perform()
    }

    private func read() throws -> [JSONValue] {
        var documents: [JSONValue] = []
        for path in try file.flatMap(Self.files) {
            let found = try DocumentFile.read(path)
            if !found.ignored.isEmpty {
                Terminal.error(
                    "\(path): \(found.ignored.joined(separator: ", ")) count at a start or reload "
                        + "of the gateway only")
            }
            documents += found.documents
        }
        let names = documents.compactMap { $0["name"]?.text }
        let twins = Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
        guard twins.isEmpty else {
            throw Failure(.usage, "named twice: \(twins.joined(separator: ", "))")
        }
        guard !documents.isEmpty || prune else {
            throw Failure(.usage, "there is no deployment in \(file.joined(separator: ", "))")
        }
        return documents
    }

    /// A folder's documents in the order of their names.
    private static func files(_ path: String) throws -> [String] {
        // What is not there is told when it is read.
        let values = try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey])
        guard path != "-", values?.isDirectory == true else { return [path] }
        let kinds = [".yaml", ".yml", ".json"]
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            .filter { name in kinds.contains(where: name.hasSuffix) }
            .map { URL(filePath: path).appending(path: $0).relativePath }
    }
}
