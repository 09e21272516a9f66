// `penstock completion`: the script for a shell; and the words it asks for.

import ArgumentParser
import Console
import Foundation
import Notation

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a script that completes verbs, fields and names in a shell.",
        usage: """
            penstock completion bash > /etc/bash_completion.d/penstock
            penstock completion zsh > "${fpath[1]}/_penstock"
            penstock completion fish > ~/.config/fish/completions/penstock.fish
            """,
        discussion: "Names of deployments are asked of the gateway, for a second at most.")

    @Argument(help: "bash, zsh or fish.")
    var shell: CompletionScript

    func run() {
        Terminal.print(shell.text)
    }
}

extension CompletionScript: ExpressibleByArgument {}

/// What could stand at the cursor, one word a line.
enum CompleteWords {
    /// - Parameter arguments: behind the verb: `--`, then the words.
    static func print(_ arguments: [String]) async {
        let words = arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
        // The parser tells its own tree; without it there is nothing to offer.
        guard let help = try? JSONReader.read(Array(Penstock._dumpHelp().utf8)) else { return }
        var found = CompletionWords(help: help).found(words)
        if found.wantsDeployment {
            // A shell has no use for the reason why nothing is offered.
            found.words += (try? await LiveNames.deployments(words, words.last ?? "")) ?? []
        }
        if !found.words.isEmpty { Terminal.print(found.words.joined(separator: "\n")) }
    }
}
