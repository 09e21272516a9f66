// Secrets and configs over a real store: versions, pins of revisions, what is refused, and that
// nobody finds a secret in the files of the state.

import Deployments
import Fixtures
import Foundation
import State
import Testing

@Suite final class StoredVariablesTests {
    let scratch = ScratchFolder()
    let variables: StoredVariables
    let store: Store
    let moment = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        store = try Store(directory: scratch.url)
        variables = StoredVariables(store: store)
    }

    @discardableResult
    private func set(
        _ name: String, _ content: StoredVariables.Content,
        in environment: DeploymentSpec.Environment = .development
    ) async throws -> VariableRecord {
        try await variables.set(
            name, content, in: environment, description: nil, by: "me", at: moment
        ).record
    }

    private func refusals(_ patch: String) async throws -> [String] {
        do {
            _ = try await variables.pin(Specs.with(patch))
            return []
        } catch let problems as SpecProblems {
            return problems.problems.map { "\($0.pointer): \($0.message)" }
        }
    }

    @Test func `another value is another version, the same one is none`() async throws {
        #expect(try await set("token", .secret("one")).newest?.number == 1)
        #expect(try await set("token", .secret("one")).newest?.number == 1)
        #expect(try await set("token", .secret("two")).versions.map(\.number) == [1, 2])
        // Going back is a version, too: what is newest is what was set last.
        #expect(try await set("token", .secret("one")).newest?.number == 3)
    }

    @Test func `a revision keeps what its references meant`() async throws {
        try await set("token", .secret("one"))
        try await set("eu", .config(["REGION": "eu", "LOG": "info"]))
        try await set("loud", .config(["LOG": "debug"]))
        let spec = try Specs.with(
            #"{"secrets": {"HF_TOKEN": "token"}, "configs": ["eu", "loud#1"]}"#)
        let pinned = try await variables.pin(spec)
        try await set("token", .secret("two"))
        let values = try await variables.values(pinned)
        #expect(values.secrets == ["HF_TOKEN": "one"])
        #expect(values.variables == ["REGION": "eu", "LOG": "debug"])
        let later = try await variables.pin(spec)
        #expect(try await variables.values(later).secrets == ["HF_TOKEN": "two"])
        #expect(later.digest != pinned.digest)
    }

    @Test func `each reference that leads nowhere is told at its place`() async throws {
        try await set("token", .secret("one"), in: .production)
        try await set("eu", .config(["REGION": "eu"]))
        let found = try await refusals(
            #"{"secrets": {"A": "none", "B": "token"}, "configs": ["eu#7", "eu"]}"#)
        #expect(
            found == [
                "/secrets/A: there is no secret 'none'",
                "/secrets/B: secret 'token' belongs to production",
                "/configs/0: config 'eu' has no version 7; there is: 1",
            ])
    }

    @Test func `an environment never changes`() async throws {
        try await set("token", .secret("one"))
        await #expect(throws: VariableError.elsewhere(.secret, "token", is: .development)) {
            try await self.set("token", .secret("two"), in: .production)
        }
    }

    @Test func `without its key a secret cannot be opened, and the error says what to do`()
        async throws
    {
        try await set("token", .secret("one"))
        let pinned = try await variables.pin(Specs.with(#"{"secrets": {"T": "token"}}"#))
        let key = scratch.file("secrets.key")
        try Data(repeating: 7, count: 32).write(to: key)
        await #expect(throws: StateError.sealed(what: "secret token#1")) {
            try await variables.values(pinned)
        }
        let mode =
            try FileManager.default.attributesOfItem(
                atPath: key.path(percentEncoded: false))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `no file of the state holds a secret in the clear`() async throws {
        let secret = "correct-horse-battery-staple"
        try await set("token", .secret(secret))
        try store.close()
        for file in try FileManager.default.contentsOfDirectory(
            at: scratch.url, includingPropertiesForKeys: nil)
        {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    /// A deployment's revision as the controller stores it.
    private func makeRevision(
        _ number: Int, of name: String = "iris", _ patch: String
    ) async throws {
        let spec = try Specs.with(patch)
        var facts = ResolvedFacts()
        facts.pinned = try await variables.pin(spec)
        var transaction = Transaction(at: moment, actor: "me")
        try transaction.create(
            DocumentKey(.revision, "\(name)/r\(number)"),
            spec: Revision(
                number: number, kind: .create, content: RevisionContent(of: spec, facts: facts),
                strategy: spec.strategy, createdAt: moment, createdBy: "me"))
        try await store.commit(transaction)
    }

    @Test func `a version that a revision names outlives any number of newer ones`() async throws {
        try await set("token", .secret("one"))
        let patch = #"{"secrets": {"T": "token"}}"#
        let pinned = try await variables.pin(Specs.with(patch))
        try await makeRevision(1, patch)
        for number in 2...110 { try await set("token", .secret("value \(number)")) }
        #expect(try await variables.values(pinned).secrets == ["T": "one"])
        let kept = try await variables.record(.secret, "token").versions.map(\.number)
        #expect(kept.count == 100)
        #expect(kept.first == 1)
        #expect(kept.last == 110)
    }

    @Test func `large values are let go of by their size`() async throws {
        for number in 1...9 {
            try await set("chain", .secret(String(repeating: "\(number)", count: 30_000)))
        }
        let kept = try await variables.record(.secret, "chain").versions.map(\.number)
        #expect(kept.last == 9)
        #expect(kept.count < 9)
    }

    @Test func `what a revision names is not removed, and the refusal says which`() async throws {
        try await set("token", .secret("one"))
        try await makeRevision(1, #"{"secrets": {"T": "token"}}"#)
        try await makeRevision(2, "{}")
        await #expect(
            throws: VariableError.inUse(.secret, "token", users: ["iris revision 1"])
        ) {
            try await self.variables.remove(.secret, "token", by: "me", at: self.moment)
        }
    }

    @Test func `a number never means something else, also after a removal`() async throws {
        try await set("token", .secret("one"))
        let pinned = try await variables.pin(Specs.with(#"{"secrets": {"T": "token"}}"#))
        try await variables.remove(.secret, "token", by: "me", at: moment)
        #expect(try await variables.list(.secret).isEmpty)
        #expect(try await set("token", .secret("two")).newest?.number == 2)
        #expect(try await set("other", .secret("two")).newest?.number == 1)
        await #expect(throws: VariableError.self) { try await self.variables.values(pinned) }
    }

    @Test func `a version of another content than was pinned is refused`() async throws {
        try await set("token", .secret("one"))
        var pinned = try await variables.pin(Specs.with(#"{"secrets": {"T": "token"}}"#))
        pinned.secrets["T"]?.fingerprint = "another"
        await #expect(throws: VariableError.remade(.secret, "token", version: 1)) {
            try await self.variables.values(pinned)
        }
        await #expect(throws: SpecProblems.self) {
            try await self.variables.conditions(pinned)
        }
        #expect(try await variables.secrets(of: [pinned]).isEmpty)
    }

    @Test func `what a change relies on fails once somebody sets or removes it`() async throws {
        try await set("token", .secret("one"))
        let pinned = try await variables.pin(Specs.with(#"{"secrets": {"T": "token"}}"#))
        var transaction = Transaction(at: moment, actor: "me")
        transaction.checks = try await variables.conditions(pinned)
        try await store.commit(transaction)
        try await variables.remove(.secret, "token", by: "me", at: moment)
        let late = transaction
        await #expect(throws: StateError.missing(DocumentKey("secret", "token"))) {
            try await self.store.commit(late)
        }
    }

    @Test func `an error tells ranges, not a hundred numbers`() {
        let error = VariableError.unknownVersion(
            .secret, "rot", version: "1", known: [2] + Array(4...103))
        #expect("\(error)" == "secret 'rot' has no version 1; there is: 2, 4 to 103")
        let gaps = VariableError.unknownVersion(
            .secret, "rot", version: "1", known: Array(stride(from: 2, through: 200, by: 2)))
        #expect("\(gaps)".utf8.count < 100)
    }
}
