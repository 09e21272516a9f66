// One change of a deployment, from the request to the word that ends it: sent, followed while it is
// at work, told. Every verb that changes something goes this way, so all behave alike.

import ArgumentParser
import Console
import Foundation
import Notation

struct Change {
    let client: AdminClient
    let options: ChangeOptions
    /// For what is said: the deployment.
    let name: String
    var verb = AdminClient.Verb.post
    var path: String
    var query: [(String, String?)] = []
    var body: JSONValue?
    /// What `If-Match` says; nil sends none.
    var version: String?
    /// Fields are set: what is probably not meant is told.
    var tellsWarnings = false
    /// Said when there was nothing to wait for: `iris: 2 fields changed`.
    var done: String
    /// What was wanted before, and what is said when nothing else is now.
    var unchanged: (spec: JSONValue, words: String)?

    func run() async throws {
        let answer = try await client.change(
            verb, path, options.query + query, body: body,
            headers: version.map { [("if-match", $0)] } ?? [])
        let value = answer.json
        if tellsWarnings || options.dryRun {
            for line in PlanText.warnings(value["warnings"], Terminal.errorPaint) {
                Terminal.error(line)
            }
        }
        if options.dryRun { return showPlan(value) }
        guard value["kind"]?.text == "operation" else {
            let isSame = unchanged.map { $0.spec == value["spec"] } ?? false
            return tell(value, isSame ? unchanged?.words ?? done : done)
        }
        guard options.wait, value["done"]?.boolean != true else { return begun(value) }
        try await OperationFollower(client: client).follow(value, options: options)
    }

    private func showPlan(_ value: JSONValue) {
        guard !options.json else { return Terminal.print(value.pretty.trimmedEnd) }
        let plan = value["plan"] ?? value
        let lines = PlanText.lines(plan.setting("warnings", to: nil), Terminal.paint)
        Terminal.print(lines.joined(separator: "\n"))
        Terminal.error(Terminal.errorPaint("dry run: nothing was changed", .dim))
    }

    private func begun(_ operation: JSONValue) {
        let id = operation["id"]?.text ?? ""
        if operation["done"]?.boolean == true {
            return tell(operation, OperationText.outcome(operation, Terminal.paint))
        }
        tell(
            operation,
            "\(OperationText.title(operation)) has begun\n"
                + Terminal.paint("next      ", .dim) + "penstock operations wait \(id)")
    }

    private func tell(_ value: JSONValue, _ words: String) {
        Terminal.print(options.json ? value.pretty.trimmedEnd : words)
    }
}

extension Change {
    /// The same for a verb of the API: `POST …/{name}:{word}`.
    static func act(
        _ word: String, on name: String, _ options: ChangeOptions, _ body: JSONValue, done: String
    ) async throws {
        let client = try options.admin.client()
        try await Change(
            client: client, options: options, name: name, path: path(name) + ":\(word)",
            body: body, done: done
        ).run()
    }

    static func path(_ name: String) -> String { "/v1/deployments/\(AdminClient.segment(name))" }
}

extension String {
    /// Without line ends behind it.
    var trimmedEnd: String {
        var text = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}
