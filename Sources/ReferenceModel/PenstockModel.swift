// penstock-model: a small, real model server for the quick start and the tests. It serves a
// classifier over the Open Inference Protocol, and trains the classifiers it serves.

import ArgumentParser
import Foundation

@main
struct PenstockModel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock-model",
        abstract: "Serves a small classifier over the Open Inference Protocol.",
        subcommands: [ServeCommand.self, TrainCommand.self],
        defaultSubcommand: ServeCommand.self)

    /// Misuse ends with 2, as it does for penstock, not with the argument parser's 64.
    static let usageCode: Int32 = 2

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            FileHandle.standardError.write(Data("\(fullMessage(for: error))\n".utf8))
            exit(withError: ExitCode(usageCode))
        }
    }
}
