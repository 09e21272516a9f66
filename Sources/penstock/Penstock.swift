// The program's entry: which verbs there are, and how every way of ending becomes one exit code.

import ArgumentParser
import CShim

@main
struct Penstock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock",
        abstract: "An inference gateway: balances, splits, checks and measures model traffic.",
        usage: """
            penstock serve --config penstock.yaml
            penstock check --config penstock.yaml
            penstock status iris
            penstock traffic iris stable=90 canary=10
            """,
        discussion: """
            Verbs that talk to a running gateway find its admin port and token by themselves on \
            the same host; elsewhere give --server or PENSTOCK_SERVER, and PENSTOCK_TOKEN.
            Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 denied, 6 timed out.
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Check.self, Services.self, Status.self, ShiftTraffic.self, Drain.self,
            Undrain.self, Backup.self, Restore.self, Audit.self, ShowVersion.self,
        ])

    static func main() async {
        // Not a verb for people: `shim` is how Penstock starts the parent of a replica.
        if CommandLine.arguments.dropFirst().first == "shim" { exit(withCode: penstock_shim()) }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Terminal.error("penstock: \(failure.message)")
            exit(withCode: failure.code.rawValue)
        } catch {
            end(with: error)
        }
    }

    /// The argument parser's own ends: help on standard output, misuse with the contract's code.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        if code == .success {
            Terminal.print(message)
            exit(withCode: 0)
        }
        if !message.isEmpty { Terminal.error(message) }
        exit(withCode: code == .validationFailure ? Failure.Code.usage.rawValue : code.rawValue)
    }

    private static func exit(withCode code: Int32) -> Never {
        exit(withError: code == 0 ? nil : ExitCode(code))
    }
}
