// The program's entry: which verbs there are, and how every way of ending becomes one exit code.
// What the argument parser does not know (fields as flags, words for shells) is seen to before it.

import ArgumentParser
import CShim
import Console
import Notation

@main
struct Penstock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock",
        abstract: "An inference gateway: balances, splits, checks and measures model traffic.",
        usage: """
            penstock serve                                        # the gateway
            penstock create iris --version v1 --artifact iris.json --cpu 1 --memory 512MiB \\
                -- penstock-model --artifact {artifact} --listen {address}
            penstock status iris                                  # how it is
            penstock why iris                                     # what is wrong, what to do
            penstock set iris memory=1GiB --dry-run               # what a change would do
            """,
        discussion: """
            Verbs that talk to a running gateway find its admin port and token by themselves on \
            the same host; elsewhere give --server or PENSTOCK_SERVER, and PENSTOCK_TOKEN.
            Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict or stale, 5 denied, \
            6 timed out, 7 rolled back, 8 refused by a gate.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Look",
                subcommands: [
                    Status.self, List.self, Get.self, Why.self, Logs.self, Events.self, Watch.self,
                    Replicas.self, Revisions.self, Diff.self, Operations.self,
                ]),
            CommandGroup(
                name: "Change",
                subcommands: [
                    Create.self, Apply.self, SetFields.self, Edit.self, Plan.self, Scale.self,
                    Update.self,
                    Rollback.self, Redeploy.self, Restart.self, Stop.self, Start.self, Delete.self,
                ]),
            CommandGroup(
                name: "Traffic",
                subcommands: [
                    Services.self, ShiftTraffic.self, Drain.self, Undrain.self,
                ]),
            CommandGroup(
                name: "Models, people, machines",
                subcommands: [
                    Models.self, Secrets.self, Configs.self, Tokens.self, WhoAmI.self, Nodes.self,
                    Audit.self,
                ]),
            CommandGroup(
                name: "The gateway itself",
                subcommands: [
                    Serve.self, Check.self, UpgradeInPlace.self, Backup.self, Restore.self,
                    Explain.self, Completion.self,
                    ShowVersion.self,
                ]),
        ])

    static func main() async {
        // Not a verb for people: `shim` is how Penstock starts the parent of a replica.
        if CommandLine.arguments.dropFirst().first == "shim" { exit(withCode: penstock_shim()) }
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == CompletionScript.verb {
            return await CompleteWords.print(Array(arguments.dropFirst()))
        }
        // Not the parser's: `--version` is a field of deployments, too.
        if arguments.first == "--version" {
            Terminal.print(Version.text)
            exit(withCode: Terminal.outputFailure() ? Failure.Code.error.rawValue : 0)
        }
        do {
            try checkVerb(arguments.first)
            var command = try parseAsRoot(FieldVerbs.expanded(arguments))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            // What `serve` prints is a courtesy; what all others print is what they are for.
            if !(command is Serve), Terminal.outputFailure() {
                exit(withCode: Failure.Code.error.rawValue)
            }
        } catch let failure as Failure {
            Terminal.error(failure.isOutcome ? failure.message : "penstock: \(failure.message)")
            exit(withCode: failure.code.rawValue)
        } catch {
            end(with: error)
        }
    }

    /// The parser would call it an unexpected argument.
    private static func checkVerb(_ word: String?) throws {
        let verbs = configuration.subcommands.flatMap { verb in
            [verb._commandName] + verb.configuration.aliases
        }
        guard let word, !word.hasPrefix("-"), !(verbs + ["help"]).contains(word) else { return }
        let near = Spelling.nearest(to: word, among: verbs).map { "did you mean '\($0)'? " } ?? ""
        throw Failure(
            .usage, "there is no verb \(Spelling.quoted(word)); \(near)penstock --help lists them")
    }

    /// The argument parser's own ends: help on standard output, misuse with the contract's code.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        if code == .success {
            Terminal.print(HelpText.arranged(message, width: Terminal.width ?? 80))
            exit(withCode: Terminal.outputFailure() ? Failure.Code.error.rawValue : 0)
        }
        if !message.isEmpty { Terminal.error(message) }
        exit(withCode: code == .validationFailure ? Failure.Code.usage.rawValue : code.rawValue)
    }

    private static func exit(withCode code: Int32) -> Never {
        exit(withError: code == 0 ? nil : ExitCode(code))
    }
}
