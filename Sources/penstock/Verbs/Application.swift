// What `apply` does with documents that have been read: looks at what is there, has every change
// checked, and only then makes them all.

import Console
import Foundation
import Notation

struct Application {
    let client: AdminClient
    let options: ChangeOptions
    let source: String
    let takesOver: Bool
    let documents: [JSONValue]
    private var existing: [String: JSONValue] = [:]
    /// Deployments to be deleted.
    private var pruned: [String] = []
    private var plans: [(name: String, answer: JSONValue)] = []

    init(
        client: AdminClient, options: ChangeOptions, source: String, takesOver: Bool,
        documents: [JSONValue]
    ) {
        self.client = client
        self.options = options
        self.source = source
        self.takesOver = takesOver
        self.documents = documents
    }

    mutating func look(prune: Bool) async throws {
        let all = try await client.list("/v1/deployments", "deployments")["deployments"]?.list ?? []
        for view in all {
            if let name = view[path: ["metadata", "name"]]?.text { existing[name] = view }
        }
        guard prune else { return }
        let named = Set(documents.map(Self.name))
        pruned = existing.filter { name, view in
            !named.contains(name)
                && (view[path: ["metadata", "applied_from"]]?.text == source
                    || view[path: ["metadata", "orphaned"]]?.boolean == true)
        }.keys.sorted()
    }

    /// - Throws: every refusal, before anything is done.
    mutating func check() async throws {
        var refusals: [(name: String, failure: Failure)] = []
        for document in documents {
            let name = Self.name(document)
            do {
                let answer = try await client.exchange(
                    .post, Self.path(name), query(isDryRun: true), body: document.compact)
                plans.append((name, answer.json))
            } catch let failure as Failure {
                refusals.append((name, failure))
            }
        }
        guard let first = refusals.first else { return try await checkTogether() }
        let lines = refusals.map { "\($0.name): \($0.failure.message)" }
        let rest = documents.count > 1 ? "\nnothing was applied" : ""
        throw Failure(first.failure.code, lines.joined(separator: "\n") + rest)
    }

    /// Each has room by itself; so must all of them.
    private func checkTogether() async throws {
        guard plans.count > 1 else { return }
        let nodes = try await client.list("/v1/nodes", "nodes")["nodes"]?.list ?? []
        guard let node = nodes.first,
            let refusal = SharedRoom(node: node).refusal(of: plans.map(\.answer))
        else { return }
        throw Failure(.gate, "\(refusal)\nnothing was applied")
    }

    /// Files that name nothing are more often a mistake than a wish to have nothing.
    func checkPruning(confirmed: String?) throws {
        let applied = pruned.filter {
            existing[$0]?[path: ["metadata", "orphaned"]]?.boolean != true
        }
        guard documents.isEmpty, !applied.isEmpty, confirmed != source else { return }
        throw Failure(
            .usage,
            "the files name no deployment, so --prune would delete all that were applied from "
                + "'\(source)': \(applied.joined(separator: ", ")); if that is meant, add "
                + "--confirm \(source)")
    }

    func showPlans() {
        if options.json {
            let all = plans.map { plan in
                JSONValue.object([
                    "name": .string(plan.name), "result": .string(word(plan.name, plan.answer)),
                    "plan": plan.answer["plan"],
                ])
            }
            let gone = pruned.map { JSONValue.object(["name": .string($0), "result": "delete"]) }
            return Terminal.print(
                JSONValue.object(["deployments": .array(all + gone)]).pretty.trimmedEnd)
        }
        let paint = Terminal.paint
        for (name, answer) in plans {
            let word = word(name, answer)
            Terminal.print(paint(name, .bold) + ": \(word)")
            guard word != "unchanged", let plan = answer["plan"] else { continue }
            for line in PlanText.lines(plan, paint) { Terminal.print("  " + line) }
        }
        for name in pruned { Terminal.print(paint("\(name): delete", .red)) }
        Terminal.error(Terminal.errorPaint("dry run: nothing was changed", .dim))
    }

    private func word(_ name: String, _ answer: JSONValue) -> String {
        guard existing[name] != nil else { return "create" }
        let plan = answer["plan"]
        let isSame = plan?["differences"]?.list.isEmpty ?? true
        return isSame && plan?["makes_revision"]?.boolean != true ? "unchanged" : "change"
    }

    /// All are begun, then waited for one by one. What fails does not keep the others from being
    /// told.
    func perform() async throws {
        var begun: [(name: String, operation: JSONValue)] = []
        var failures: [Failure] = []
        for (document, plan) in zip(documents, plans) {
            let word = word(plan.name, plan.answer)
            do {
                let answer = try await client.change(
                    .post, Self.path(plan.name), query(isDryRun: false), body: document)
                if let operation = tell(plan.name, word, answer.json) {
                    begun.append((plan.name, operation))
                }
            } catch let failure as Failure {
                failures.append(Failure(failure.code, "\(plan.name): \(failure.message)"))
            }
        }
        if failures.isEmpty { begun += try await pruneAll() }
        if options.wait {
            for (_, operation) in begun {
                do {
                    try await OperationFollower(client: client).follow(
                        operation, options: options)
                } catch let failure as Failure {
                    Terminal.error(failure.message)
                    failures.append(Failure(failure.code, ""))
                }
            }
        }
        try finish(failures)
    }

    /// - Returns: the operation to wait for.
    private func tell(_ name: String, _ word: String, _ value: JSONValue) -> JSONValue? {
        for line in PlanText.warnings(value["warnings"], Terminal.errorPaint) {
            Terminal.error("\(name): \(line)")
        }
        let isOperation = value["kind"]?.text == "operation"
        if isOperation, value["done"]?.boolean != true {
            if !options.wait { say("\(name): \(word) has begun", value) }
            return value
        }
        say("\(name): \(word == "change" ? "changed; no replica had to be replaced" : word)", value)
        return nil
    }

    private func say(_ words: String, _ value: JSONValue) {
        Terminal.print(options.json ? value.compact : words)
    }

    private func pruneAll() async throws -> [(name: String, operation: JSONValue)] {
        var begun: [(name: String, operation: JSONValue)] = []
        for name in pruned {
            let version = existing[name]?[path: ["metadata", "resource_version"]]?.text
            let answer = try await client.change(
                .delete, Change.path(name),
                headers: [("if-match", version.map { "\"\($0)\"" } ?? "*")])
            if let operation = tell(name, "delete", answer.json) { begun.append((name, operation)) }
        }
        return begun
    }

    private func finish(_ failures: [Failure]) throws {
        guard let first = failures.first else { return }
        let told = failures.map(\.message).filter { !$0.isEmpty }
        let summary =
            "\(failures.count) of \(Words.count(documents.count + pruned.count, "change")) failed"
        throw Failure(first.code, (told + [summary]).joined(separator: "\n"))
    }

    private func query(isDryRun: Bool) -> [(String, String?)] {
        [
            ("source", source), ("takeOver", takesOver ? "true" : nil),
            ("dryRun", isDryRun ? "true" : nil), ("onConflict", options.onConflict?.rawValue),
        ]
    }

    private static func name(_ document: JSONValue) -> String { document["name"]?.text ?? "" }

    private static func path(_ name: String) -> String { Change.path(name) + ":apply" }
}
