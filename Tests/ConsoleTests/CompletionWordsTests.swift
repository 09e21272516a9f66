// What is offered at the cursor: verbs, options, fields and their values, each where it fits.

import Console
import Notation
import Testing

struct CompletionWordsTests {
    /// As the argument parser dumps itself, cut to what counts.
    private let words: CompletionWords = {
        let name = JSONValue.object([
            "kind": "positional", "valueName": "name",
            "completionKind": .object(["customAsync": true]),
        ])
        let settings = JSONValue.object([
            "kind": "positional", "valueName": "settings", "isRepeating": true,
        ])
        return CompletionWords(
            help: .object([
                "command": .object([
                    "commandName": "penstock", "arguments": .array([]),
                    "subcommands": .array([
                        command("set", [name, settings, option("set", "field=value"), json]),
                        command(
                            "scale",
                            [
                                name, option("on-conflict", "on-conflict", ["refuse", "queue"]),
                                json,
                            ]),
                        command("serve", [option("config", "config", file: true)]),
                        command(
                            "operations", [],
                            [command("list", [name, json]), command("wait", [json])]),
                    ]),
                ])
            ]))
    }()

    private static let json = JSONValue.object([
        "kind": "flag", "names": .array([.object(["kind": "long", "name": "json"])]),
    ])

    private static func option(
        _ name: String, _ value: String, _ values: [String] = [], file: Bool = false
    ) -> JSONValue {
        .object([
            "kind": "option", "valueName": .string(value), "allValues": .texts(values),
            "names": .array([.object(["kind": "long", "name": .string(name)])]),
            "completionKind": file ? .object(["file": true]) : nil,
        ])
    }

    private static func command(
        _ name: String, _ arguments: [JSONValue], _ subcommands: [JSONValue] = []
    ) -> JSONValue {
        .object([
            "commandName": .string(name), "arguments": .array(arguments),
            "subcommands": .array(subcommands),
            "defaultSubcommand": subcommands.first?["commandName"],
            "aliases": name == "operations" ? .texts(["ops"]) : nil,
        ])
    }

    private func offered(_ line: String...) -> [String] { words.found(line).words }

    @Test func `verbs are offered first, and behind help`() {
        #expect(offered("s") == ["scale", "serve", "set"])
        #expect(offered("help", "sc") == ["scale"])
        #expect(offered("ops", "w") == ["wait"])
    }

    @Test func `a name is a deployment's`() {
        #expect(words.found(["scale", ""]).wantsDeployment)
        #expect(words.found(["operations", ""]).wantsDeployment)
        #expect(!words.found(["scale", "iris", ""]).wantsDeployment)
    }

    @Test func `options and their values are offered where they belong`() {
        #expect(offered("scale", "iris", "--") == ["--json", "--on-conflict"])
        #expect(offered("scale", "--on-conflict", "q") == ["queue"])
        #expect(words.found(["serve", "--config", ""]).wantsFile)
    }

    @Test func `fields are offered as flags and as settings, with their values`() {
        #expect(offered("set", "iris", "--mem") == ["--memory"])
        #expect(
            offered("set", "iris", "--algorithm", "least") == [
                "least_connections", "least_latency",
            ])
        #expect(offered("set", "iris", "resources.m") == ["resources.memory="])
        #expect(offered("set", "iris", "a=b", "resources.m") == ["resources.memory="])
        #expect(offered("set", "iris", "strategy.type=") == ["strategy.type=rolling"])
        #expect(offered("scale", "iris", "--mem") == [])
    }

    @Test func `behind two dashes stands a command`() {
        #expect(words.found(["set", "iris", "--", ""]).wantsFile)
    }
}
