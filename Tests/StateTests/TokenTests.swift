// Tokens: shown once, known again, ended, and what becomes of the file of the first start.
// No test looks into the table; what counts is who is let in.

import Fixtures
import Foundation
import State
import Testing

@Suite struct TokenTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        store = try Store(directory: scratch.url)
    }

    private func create(_ draft: TokenDraft? = nil) async throws -> NewToken {
        try await store.createToken(
            draft ?? TokenDraft(grants: [Grant(.operator_, in: ["staging"])], note: "ci"),
            by: "alice", now: Sample.moment)
    }

    @Test func `a new token is known by its text`() async throws {
        let made = try await create()
        #expect(made.secret.text.hasPrefix("pst_a"))
        let found = try await store.authenticate(made.secret.text, now: Sample.after(1))
        #expect(found?.id == made.record.id)
        #expect(found?.grants == [Grant(.operator_, in: ["staging"])])
        #expect(made.record.expiresAt == Sample.after(90 * 24 * 3600))
    }

    @Test func `the text is nowhere in the directory`() async throws {
        let made = try await create()
        try store.close()
        let files = try FileManager.default.contentsOfDirectory(
            at: scratch.url, includingPropertiesForKeys: nil)
        for file in files {
            let content = try Data(contentsOf: file)
            #expect(content.firstRange(of: Data(made.secret.text.utf8)) == nil, "\(file)")
        }
    }

    @Test func `what was never made is nobody's`() async throws {
        var generator = SeededGenerator(seed: 1)
        let stranger = AdminToken.make(using: &generator).text
        #expect(try await store.authenticate(stranger, now: Sample.moment) == nil)
        #expect(try await store.authenticate("", now: Sample.moment) == nil)
        #expect(try await store.authenticate("pst_a", now: Sample.moment) == nil)
    }

    @Test func `a token ends when it expires`() async throws {
        let made = try await create(
            TokenDraft(grants: [Grant(.viewer)], note: "", lifetime: .seconds(60)))
        let text = made.secret.text
        #expect(try await store.authenticate(text, now: Sample.after(59)) != nil)
        #expect(try await store.authenticate(text, now: Sample.after(60)) == nil)
    }

    @Test func `a token ends when it is revoked`() async throws {
        let made = try await create()
        try await store.revokeToken(made.record.id, by: "bob", now: Sample.after(5))
        #expect(try await store.authenticate(made.secret.text, now: Sample.after(6)) == nil)
        #expect(try await store.token(made.record.id)?.revokedAt == Sample.after(5))
        let again = try await store.revokeToken(made.record.id, by: "eve", now: Sample.after(9))
        #expect(again.revokedAt == Sample.after(5))
        let missing = StateError.missing(DocumentKey("token", "x"))
        await #expect(throws: missing) {
            try await store.revokeToken("x", by: "bob", now: Sample.moment)
        }
    }

    @Test func `making and revoking are audited, without the text`() async throws {
        let made = try await create()
        try await store.revokeToken(made.record.id, by: "bob", now: Sample.after(5))
        let entries = try await store.audit(AuditQuery()).entries
        #expect(entries.map(\.action) == ["token.revoke", "token.create"])
        #expect(entries.map(\.actor) == ["bob", "alice"])
        #expect(entries.allSatisfy { $0.name == made.record.id })
        #expect(entries.allSatisfy { !"\($0)".contains(made.secret.text) })
    }

    @Test func `last use is noted, but not more than once a minute`() async throws {
        let made = try await create()
        for seconds in [10.0, 40, 69, 75] {
            _ = try await store.authenticate(made.secret.text, now: Sample.after(seconds))
        }
        #expect(try await store.token(made.record.id)?.lastUsedAt == Sample.after(75))
        _ = try await store.authenticate(made.secret.text, now: Sample.after(100))
        #expect(try await store.token(made.record.id)?.lastUsedAt == Sample.after(75))
    }

    @Test func `the token of the first start may do everything and never expires`() async throws {
        let token = try store.adminToken(now: Sample.moment)
        let found = try await store.authenticate(token.text, now: Sample.after(1e9))
        #expect(found?.isBootstrap == true)
        #expect(found?.grants == [Grant(.admin)])
        _ = try store.adminToken(now: Sample.after(5))
        #expect(try await store.tokens().count == 1)
    }

    @Test func `a new file ends the token of the old one`() async throws {
        let old = try store.adminToken(now: Sample.moment)
        try FileManager.default.removeItem(at: scratch.file("admin.token"))
        let new = try store.adminToken(now: Sample.after(5))
        #expect(try await store.authenticate(old.text, now: Sample.after(6)) == nil)
        #expect(try await store.authenticate(new.text, now: Sample.after(6)) != nil)
    }

    @Test func `a revoked token of the first start stays revoked over a restart`() async throws {
        let token = try store.adminToken(now: Sample.moment)
        let id = try #require(try await store.tokens().first?.id)
        try await store.revokeToken(id, by: "alice", now: Sample.after(1))
        try store.close()
        let next = try Store(directory: scratch.url)
        _ = try next.adminToken(now: Sample.after(2))
        #expect(try await next.authenticate(token.text, now: Sample.after(3)) == nil)
    }

    @Test(arguments: [
        TokenDraft(grants: [], note: ""),
        TokenDraft(grants: [Grant(.viewer, in: [])], note: ""),
        TokenDraft(grants: [Grant(.viewer)], note: "a\u{1b}[2J"),
        TokenDraft(grants: [Grant(.viewer)], note: "", lifetime: .zero),
        TokenDraft(grants: [Grant(.viewer)], note: "", lifetime: .seconds(11 * 366 * 86400)),
    ])
    func `a draft that makes no sense is refused`(draft: TokenDraft) async throws {
        await #expect {
            _ = try await create(draft)
        } throws: {
            if case StateError.invalid = $0 { true } else { false }
        }
        #expect(try await store.tokens().isEmpty)
    }

    @Test func `a token and the answer to its repetition are stored together`() async throws {
        let scratch = ScratchFolder()
        let key = IdempotencyKey(key: "k", token: "t")
        let draft = TokenDraft(grants: [Grant(.viewer, in: nil)], note: "")
        let store = try Store(directory: scratch.url)
        _ = try await store.beginIdempotent(key, requestHash: "h", now: Date())
        let made = try await store.createToken(draft, by: "test", now: Date()) { token in
            IdempotentAnswer(key: key, status: 409, headers: [:], body: Array(token.id.utf8))
        }
        try store.close()
        // As after a crash right behind the commit.
        let next = try Store(directory: scratch.url)
        let again = try await next.beginIdempotent(key, requestHash: "h", now: Date())
        guard case .done(let answer) = again else {
            Issue.record("it would be made again: \(again)")
            return
        }
        #expect(String(decoding: answer.body, as: UTF8.self) == made.record.id)
        // Whose key is lost, by whatever, makes no token either.
        await #expect(throws: StateError.self) {
            try await next.createToken(draft, by: "test", now: Date()) { _ in answer }
        }
        #expect(try await next.tokens().count == 1)
    }
}
