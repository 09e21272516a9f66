// `penstock set` and `penstock edit`: fields of a deployment, by name or in an editor. Both read
// what is there first and say so when somebody else has changed it meanwhile.

import ArgumentParser
import Console
import Foundation
import Notation

struct SetFields: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change fields of a deployment.",
        usage: """
            penstock set iris memory=1GiB
            penstock set iris env.LOG_LEVEL=debug --unset env.TRACE
            penstock set iris --max-replicas 8 --dry-run
            """,
        discussion: """
            Live fields are in force at once; the others make a revision whose replicas replace \
            the old ones without an outage, and which is taken back by itself if it does not \
            work (exit code 7). 'penstock explain FIELD' tells which is which.
            """)

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "FIELD=VALUE, as often as needed.")
    var settings: [String] = []

    @OptionGroup var fields: FieldOptions

    @Option(help: ArgumentHelp("Take a field back to its default.", valueName: "field"))
    var unset: [String] = []

    @Flag(help: "Change it whatever it has become meanwhile.")
    var force = false

    @Option(help: ArgumentHelp("Only if it is still at this version.", valueName: "version"))
    var ifVersion: String?

    @OptionGroup var options: ChangeOptions

    func validate() throws {
        guard !settings.isEmpty || !fields.set.isEmpty || !unset.isEmpty else {
            throw ValidationError("nothing to set; write FIELD=VALUE, such as memory=1GiB")
        }
    }

    func run() async throws {
        let client = try options.admin.client()
        let patch = try fields.document(settings, removing: unset)
        try await Patch(
            client: client, options: options, name: name, force: force, version: ifVersion
        ).send(patch.withAbsolutePaths(isLocal: client.isLocal))
    }
}

/// A merge patch of a deployment over the version that was read.
struct Patch {
    let client: AdminClient
    let options: ChangeOptions
    let name: String
    let force: Bool
    /// What must hold; nil is what is there now.
    var version: String?

    func send(_ patch: JSONValue) async throws {
        let view = try await client.get(Change.path(name))
        let expected = version ?? view[path: ["metadata", "resource_version"]]?.text
        let fields = Self.names(patch)
        let words = fields.joined(separator: ", ")
        try await Change(
            client: client, options: options, name: name, verb: .patch, path: Change.path(name),
            body: patch, version: force ? "*" : expected.map { "\"\($0)\"" } ?? "*",
            tellsWarnings: true,
            done: "\(name): \(words) changed; in force, no replica had to be replaced",
            unchanged: view["spec"].map { ($0, unchanged(fields, $0)) }
        ).run()
    }

    private func unchanged(_ fields: [String], _ spec: JSONValue) -> String {
        let words =
            "\(name): nothing was changed; \(fields.joined(separator: ", ")) "
            + (fields.count == 1 ? "is so already" : "are so already")
        guard fields.contains("artifact"), let file = spec["artifact"]?.text else { return words }
        return words + "\nfiles that have changed are another version: penstock update \(name) "
            + "--version VERSION --artifact \(file)"
    }

    /// The fields of a patch, dotted.
    static func names(_ patch: JSONValue) -> [String] {
        (patch.members ?? []).flatMap { member -> [String] in
            guard let inner = member.value.members, !inner.isEmpty else { return [member.name] }
            return inner.map { "\(member.name).\($0.name)" }
        }
    }
}

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change fields of a deployment in an editor.",
        usage: """
            penstock edit iris
            EDITOR=nano penstock edit iris --dry-run
            """,
        discussion: "The editor is VISUAL, else EDITOR, else vi. A field that is deleted goes back "
            + "to its default; a file that is left as it was changes nothing.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Flag(help: "Show fields that have their default, too.")
    var all = false

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let client = try options.admin.client()
        let view = try await client.get(Change.path(name))
        let version = view[path: ["metadata", "resource_version"]]?.text
        let before = SpecText.document(view, withDefaults: all)
        let file = FileManager.default.temporaryDirectory
            .appending(path: "penstock-\(name)-\(UUID().uuidString.prefix(8)).yaml")
        let text = Data(Self.text(of: before, name).utf8)
        // A private file: variables may stand in it that are nobody else's to read.
        guard
            FileManager.default.createFile(
                atPath: file.path(percentEncoded: false), contents: text,
                attributes: [.posixPermissions: 0o600])
        else { throw Failure(.error, "\(file.path(percentEncoded: false)) cannot be written") }
        try edit(file)
        let after = try DocumentFile.single(file.path(percentEncoded: false))
        var patch = before.patch(to: after)
        // One way of saying how many in the place of the other.
        if patch["scaling_config"] != nil, patch["replicas"] == .null {
            patch = patch.setting("replicas", to: nil)
        }
        guard patch.members?.isEmpty == false else {
            try FileManager.default.removeItem(at: file)
            return Terminal.print("\(name): nothing was changed")
        }
        do {
            try await Patch(
                client: client, options: options, name: name, force: false, version: version
            ).send(patch)
        } catch let failure as Failure {
            throw Failure(
                failure.code,
                failure.message + "\nyour text is kept in \(file.path(percentEncoded: false))")
        }
        try FileManager.default.removeItem(at: file)
    }

    private static func text(of document: JSONValue, _ name: String) -> String {
        """
        # '\(name)' as it is wanted. Save and leave the editor to change it; leave it as it is to
        # change nothing. penstock explain FIELD tells what a field may be.

        """ + YAMLText.text(document)
    }

    private func edit(_ file: URL) throws {
        let environment = ProcessInfo.processInfo.environment
        let editor =
            [environment["VISUAL"], environment["EDITOR"]].compactMap(\.self)
            .first { !$0.isEmpty } ?? "vi"
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        // The editor is a command of the user's own shell, options and all.
        process.arguments = ["-c", "\(editor) \"$1\"", "sh", file.path(percentEncoded: false)]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            // As with the editor's own "leave without saving": nothing is changed, nothing lost.
            throw Failure(
                .error,
                "'\(editor)' ended with \(process.terminationStatus); nothing was changed"
                    + "\nyour text is kept in \(file.path(percentEncoded: false))")
        }
    }
}
