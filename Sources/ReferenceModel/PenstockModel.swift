// penstock-model: a small, real model server for the quick start and the tests. It serves a
// classifier over the Open Inference Protocol, and trains the classifiers it serves.

import ArgumentParser

@main
struct PenstockModel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock-model",
        abstract: "Serves a small classifier over the Open Inference Protocol.",
        subcommands: [ServeCommand.self, TrainCommand.self],
        defaultSubcommand: ServeCommand.self)
}
