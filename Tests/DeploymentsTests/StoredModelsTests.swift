// The registry over a real store: versions that never change, digests taken anew, what is told of
// what is not there.

import Deployments
import Fixtures
import Foundation
import Notation
import State
import Testing

@Suite final class StoredModelsTests {
    let scratch = ScratchFolder()
    let models: StoredModels
    let store: Store
    let moment = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        store = try Store(directory: scratch.url)
        models = StoredModels(store: store)
    }

    private func write(_ text: String) throws -> String {
        try scratch.write(text, to: "model.json").path(percentEncoded: false)
    }

    private func register(
        _ version: String, _ path: String? = nil, sha256: String? = nil, after seconds: Double = 0
    ) async throws -> ModelVersion {
        try await models.register(
            ModelVersionDraft(model: "iris", version: version, artifact: path, sha256: sha256),
            by: "me", at: moment.addingTimeInterval(seconds))
    }

    @Test func `what is registered can be read, newest first`() async throws {
        let path = try write("{}")
        let first = try await register("v1", path)
        #expect(first.artifact?.bytes == 2 && first.artifact?.path == path)
        _ = try await register("v2", after: 1)
        #expect(try await models.versions(of: "iris").map(\.version) == ["v2", "v1"])
        #expect(try await models.version("v1", of: "iris") == first)
        #expect(try await models.versions(of: "ir").isEmpty)
        let trail = try await store.audit(AuditQuery(action: "model_version.register"))
        #expect(trail.entries.first?.actor == "me")
    }

    @Test func `the same again is no error, other content is`() async throws {
        let path = try write("{}")
        let first = try await register("v1", path)
        #expect(try await register("v1", path, after: 5) == first)
        _ = try write("other")
        await #expect(throws: ModelError.self) { try await self.register("v1", path) }
        await #expect(throws: ModelError.self) { try await self.register("v1") }
    }

    @Test func `a version is verified by reading it again`() async throws {
        let path = try write("{}")
        let artifact = try #require(try await register("v1", path).artifact)
        try await models.verify(artifact)
        _ = try write("{ }")
        await #expect(throws: ModelError.self) { try await self.models.verify(artifact) }
        try FileManager.default.removeItem(atPath: path)
        await #expect(throws: ModelError.missing(path: path)) {
            try await self.models.verify(artifact)
        }
    }

    @Test func `an expected digest must be the one of the files`() async throws {
        let path = try write("{}")
        let wrong = String(repeating: "0", count: 64)
        await #expect(throws: ModelError.self) {
            try await self.register("v1", path, sha256: wrong)
        }
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        #expect(try await register("v1", path, sha256: digest).artifact?.sha256 == digest)
    }

    @Test func `what is not there is told with what is`() async throws {
        _ = try await register("v1")
        await #expect(throws: ModelError.unknown(model: "iris", version: "v9", known: ["v1"])) {
            try await self.models.version("v9", of: "iris")
        }
        try await models.remove("v1", of: "iris", by: "me", at: moment)
        await #expect(throws: ModelError.self) {
            try await self.models.remove("v1", of: "iris", by: "me", at: self.moment)
        }
    }

    @Test func `what has been altered is told with its digests, then and now`() async throws {
        let path = try write("{}")
        let artifact = try #require(try await register("v1", path).artifact)
        _ = try write("{ }")
        do {
            try await models.verify(artifact)
            Issue.record("it was taken")
        } catch {
            let words = "\(error)"
            #expect(words.hasPrefix("\(path) has changed since it was registered: sha256 "))
            #expect(words.hasSuffix("not \(artifact.sha256)"))
        }
    }

    @Test func `many who verify at once share one reading`() async throws {
        let path = try write(String(repeating: "x", count: 3_000_000))
        let artifact = try #require(try await register("v1", path).artifact)
        try await withThrowingTaskGroup { group in
            for _ in 0..<50 { group.addTask { [models] in try await models.verify(artifact) } }
            try await group.waitForAll()
        }
    }
}
