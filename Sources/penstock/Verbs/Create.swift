// `penstock create`: a deployment from flags, from a file, or both; and `penstock plan`, what a
// change would do.

import ArgumentParser
import Console
import Foundation
import Notation
import Settings

struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a deployment and start it.",
        usage: """
            penstock create iris --version v1 --artifact iris-v1.json --replicas 2 \\
                --cpu 1 --memory 512MiB \\
                -- penstock-model --artifact {artifact} --listen {address}
            penstock create -f iris.yaml
            penstock create iris -f iris.yaml --replicas 4 --dry-run
            """,
        discussion: """
            What follows -- is the command: it is run as it stands, without a shell; {address} \
            (or {port}) is where it must listen, {artifact} where its files are. The model is \
            called as the deployment unless --model says otherwise.
            """)

    @Argument(help: "Its name; it answers at /NAME/ of the gateway.")
    var name: String?

    @Option(
        name: .shortAndLong, help: "A YAML or JSON file with its fields; '-' is standard input.",
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String?

    @OptionGroup var fields: FieldOptions

    @Argument(parsing: .postTerminator, help: "The command, behind --.")
    var command: [String] = []

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let client = try options.admin.client()
        var document = try file.map(DocumentFile.single) ?? .object([JSONValue.Member]())
        document = document.patched(with: try fields.document())
        if let name { document = document.setting("name", to: .string(name)) }
        if !command.isEmpty { document = document.setting("command", to: .texts(command)) }
        if document["model"] == nil, document["model_id"] == nil, let name = document["name"] {
            document = document.setting("model", to: name)
        }
        let title = document["name"]?.text ?? "it"
        try await Change(
            client: client, options: options, name: title, path: "/v1/deployments",
            body: document.withAbsolutePaths(isLocal: client.isLocal), tellsWarnings: true,
            done: "\(title): created"
        ).run()
        guard !options.json, !options.dryRun, options.wait else { return }
        try await showEndpoint(of: title, client)
    }

    private func showEndpoint(of name: String, _ client: AdminClient) async throws {
        let view = try await client.get(Change.path(name))
        guard let url = view[path: ["status", "endpoint", "url"]]?.text else { return }
        let spec = view["spec"]
        let example = await ExampleInference.command(
            url, model: spec?["model"]?.text ?? name,
            healthPath: spec?[path: ["load_balancer", "health_check_path"]]?.text ?? "")
        Terminal.print(
            Terminal.paint("endpoint  ", .dim) + url + "\n" + Terminal.paint("try       ", .dim)
                + example)
    }
}

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what changing fields would do, and do nothing.",
        usage: """
            penstock plan iris memory=1GiB
            penstock plan iris --replicas 6 --json
            """,
        discussion: "Other changes tell their plan with --dry-run: "
            + "penstock scale iris 6 --dry-run.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "FIELD=VALUE, as often as needed.")
    var settings: [String] = []

    @OptionGroup var fields: FieldOptions

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

    func run() async throws {
        let client = try admin.client()
        let patch = try fields.document(settings).withAbsolutePaths(isLocal: client.isLocal)
        let answer = try await client.exchange(
            .post, Change.path(name) + ":plan", body: patch.compact)
        if json { return Terminal.document(answer.body) }
        Terminal.print(PlanText.lines(answer.json, Terminal.paint).joined(separator: "\n"))
    }
}
