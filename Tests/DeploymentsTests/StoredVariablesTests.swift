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

    @Test func `what is removed is gone with all its versions`() async throws {
        try await set("token", .secret("one"))
        try await variables.remove(.secret, "token", by: "me", at: moment)
        #expect(try await variables.list(.secret).isEmpty)
        #expect(try await set("token", .secret("two")).newest?.number == 1)
    }
}
