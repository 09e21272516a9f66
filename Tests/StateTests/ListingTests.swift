// Lists: filters, orders, pages, and tokens that somebody has tampered with.
// Documents are named so that byte order and the order of people differ where it matters.

import Fixtures
import Foundation
import State
import Testing

@Suite struct ListingTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        store = try Store(directory: scratch.url)
    }

    private func fill(_ names: [String]) async throws {
        for (index, name) in names.enumerated() {
            try await store.commit(
                Sample.put(
                    DocumentKey(.replica, name), spec: #"{"port":\#(index),"on":true}"#,
                    labels: ["parity": index.isMultiple(of: 2) ? "even" : "odd"],
                    at: Sample.after(Double(index))))
        }
    }

    private func names(_ query: DocumentQuery) async throws -> [String] {
        try await store.all(query).map(\.name)
    }

    @Test func `a list is of one kind, in the order of names`() async throws {
        try await fill(["c", "a", "b"])
        try await store.commit(Sample.put(Sample.iris))
        #expect(try await names(DocumentQuery(.replica)) == ["a", "b", "c"])
        #expect(try await names(DocumentQuery(.replica, isDescending: true)) == ["c", "b", "a"])
    }

    @Test func `creation and last change are orders, too`() async throws {
        try await fill(["c", "a", "b"])
        try await store.commit(Sample.put(DocumentKey(.replica, "c"), spec: "9"))
        #expect(try await names(DocumentQuery(.replica, order: .created)) == ["c", "a", "b"])
        let query = DocumentQuery(.replica, order: .updated, isDescending: true)
        #expect(try await names(query) == ["c", "b", "a"])
    }

    @Test func `a prefix matches whole beginnings only`() async throws {
        try await fill(["iris/r1", "iris/r2", "iris2/r1", "irist", "Iris/r1", "iris/é"])
        let query = DocumentQuery(.replica, prefix: "iris/")
        #expect(try await names(query) == ["iris/r1", "iris/r2", "iris/é"])
    }

    @Test func `labels and fields filter`() async throws {
        try await fill(["a", "b", "c", "d"])
        #expect(try await names(DocumentQuery(.replica, labels: ["parity": "odd"])) == ["b", "d"])
        #expect(try await names(DocumentQuery(.replica, labels: ["parity": "od"])) == [])
        let ports = DocumentQuery.FieldMatch(.spec, "port", oneOf: ["0", "3"])
        #expect(try await names(DocumentQuery(.replica, fields: [ports])) == ["a", "d"])
        let on = DocumentQuery.FieldMatch(.spec, "on", oneOf: ["true"])
        #expect(try await names(DocumentQuery(.replica, fields: [on, ports])) == ["a", "d"])
        let status = DocumentQuery.FieldMatch(.status, "state", oneOf: ["ready"])
        #expect(try await names(DocumentQuery(.replica, fields: [status])) == [])
    }

    @Test(arguments: ["", "a'b", "a\"b", "a.b", "é"])
    func `a field whose name could be more than a name is refused`(name: String) async throws {
        let field = DocumentQuery.FieldMatch(.spec, name, oneOf: ["1"])
        await #expect {
            try await store.list(DocumentQuery(.replica, fields: [field]))
        } throws: {
            if case StateError.invalid = $0 { true } else { false }
        }
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `pages put together are the list`(size: Int) async throws {
        let all = (0..<10).map { "r\($0)" }
        try await fill(all)
        for order in [DocumentQuery.Order.name, .created, .updated] {
            #expect(try await names(DocumentQuery(.replica, order: order, pageSize: size)) == all)
        }
    }

    @Test func `what stays is met once, whatever comes and goes between pages`() async throws {
        try await fill(["b", "d", "f", "h"])
        var query = DocumentQuery(.replica, pageSize: 2)
        let first = try await store.list(query)
        #expect(first.documents.map(\.name) == ["b", "d"])
        try await fill(["a", "c", "e"])
        try await store.commit(Sample.delete(DocumentKey(.replica, "d")))
        query.pageToken = first.nextPageToken
        let rest = try await store.all(query)
        #expect(rest.map(\.name) == ["e", "f", "h"])
        query.pageSize = 10
        #expect(try await store.list(query).sequence == first.sequence)
    }

    @Test func `a page is never longer than the limit`() async throws {
        try await fill(["a", "b"])
        let page = try await store.list(DocumentQuery(.replica, pageSize: 1_000_000))
        #expect(page.documents.count == 2)
        #expect(page.nextPageToken == nil)
        #expect(try await store.list(DocumentQuery(.replica, pageSize: -5)).documents.count == 1)
    }

    @Test func `a token with one character changed is refused`() async throws {
        try await fill(["a", "b", "c"])
        var query = DocumentQuery(.replica, pageSize: 1)
        let token = try #require(try await store.list(query).nextPageToken)
        for index in token.indices {
            var characters = Array(token)
            let position = token.distance(from: token.startIndex, to: index)
            characters[position] = characters[position] == "x" ? "y" : "x"
            query.pageToken = String(characters)
            // The last character may hold bits that stand for nothing.
            if position == characters.count - 1 { continue }
            await #expect(throws: StateError.badPageToken, "position \(position)") {
                try await store.list(query)
            }
        }
    }

    @Test(arguments: ["x", "nonsense", "////", String(repeating: "A", count: 9999)])
    func `what is no token is refused`(token: String) async throws {
        await #expect(throws: StateError.badPageToken) {
            try await store.list(DocumentQuery(.replica, pageToken: token))
        }
    }

    @Test func `a token is good for its query only, and over a restart`() async throws {
        try await fill(["a", "b", "c"])
        let token = try await store.list(DocumentQuery(.replica, pageSize: 1)).nextPageToken
        await #expect(throws: StateError.badPageToken) {
            try await store.list(DocumentQuery(.deployment, pageSize: 1, pageToken: token))
        }
        await #expect(throws: StateError.badPageToken) {
            try await store.list(DocumentQuery(.replica, labels: ["a": "b"], pageToken: token))
        }
        try store.close()
        let next = try Store(directory: scratch.url)
        let page = try await next.list(DocumentQuery(.replica, pageToken: token))
        #expect(page.documents.map(\.name) == ["b", "c"])
    }
}
