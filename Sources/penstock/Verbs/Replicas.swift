// `penstock replicas`: the processes of a deployment, and what is done to one of them.

import ArgumentParser
import Console
import Foundation
import Notation

struct Replicas: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the replicas of a deployment, or act on one.",
        usage: """
            penstock replicas iris
            penstock replicas restart iris iris-3
            penstock replicas drain iris iris-3        # no new requests; the process stays
            penstock replicas undrain iris iris-3
            penstock replicas eject iris iris-3        # out of the rotation and ended at once
            """,
        subcommands: [All.self, Drain.self, Undrain.self, Restart.self, Eject.self],
        defaultSubcommand: All.self)

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the replicas of a deployment.",
            usage: "penstock replicas list iris")

        @Argument(help: "The deployment.", completion: .deployments)
        var name: String

        @Flag(help: "Show those that have ended, too.")
        var all = false

        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let answer = try await client.list(Change.path(name) + "/replicas", "replicas")
            options.show(answer, "replicas", none: "no replicas") { replicas in
                Tables.replicas(
                    all ? replicas : replicas.filter { $0["state"]?.text != "exited" },
                    at: secondsNow())
            }
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a replica out of the rotation; the process stays.",
            usage: "penstock replicas drain iris iris-3")
        @OptionGroup var replica: ReplicaArguments
        func run() async throws { try await replica.act("drain", done: "takes no new requests") }
    }

    struct Undrain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a replica back into the rotation.",
            usage: "penstock replicas undrain iris iris-3")
        @OptionGroup var replica: ReplicaArguments
        func run() async throws { try await replica.act("undrain", done: "takes requests again") }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a replica by a new one, without an outage.",
            usage: "penstock replicas restart iris iris-3")
        @OptionGroup var replica: ReplicaArguments
        func run() async throws { try await replica.act("restart", done: "is being replaced") }
    }

    struct Eject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a replica out of the rotation and end it at once.",
            usage: "penstock replicas eject iris iris-3")
        @OptionGroup var replica: ReplicaArguments
        func run() async throws { try await replica.act("eject", done: "is out and ended") }
    }
}

struct ReplicaArguments: ParsableArguments {
    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "The replica, as 'penstock replicas' shows it.")
    var replica: String

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func act(_ verb: String, done: String) async throws {
        let client = try options.admin.client()
        try await Change(
            client: client, options: options, name: name,
            path: Change.path(name) + "/replicas/\(AdminClient.segment(replica)):\(verb)",
            body: .object(["reason": reason.member]), done: "\(replica) \(done)"
        ).run()
    }
}
