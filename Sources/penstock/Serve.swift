// `penstock serve`: the gateway in the foreground, until a signal ends it.

import ArgumentParser

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve: the gateway, its admin port and its managed replicas.",
        usage: """
            penstock serve
            penstock serve --config conf/quickstart.yaml --state /var/lib/penstock
            """,
        discussion: "SIGTERM and Ctrl-C drain and end, a second one ends at once; SIGHUP reloads "
            + "the configuration, whole or not at all; SIGUSR2 lets a new process of what now lies "
            + "where this program was started from take over, without a lost connection.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await Wiring.serve(options)
    }
}
