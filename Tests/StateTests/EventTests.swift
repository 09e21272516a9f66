// Events: repeated ones counted, old ones let go, newest first.

import Fixtures
import Foundation
import State
import Testing

@Suite struct EventTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        var options = StoreOptions()
        options.retention.eventsPerTarget = 5
        options.retention.events = 8
        store = try Store(directory: scratch.url, options: options)
    }

    private func note(
        _ message: String, on key: DocumentKey = Sample.iris, type: EventType = .normal,
        at date: Date = Sample.moment
    ) async throws {
        var transaction = Sample.transaction(at: date, actor: "system:reconciler")
        transaction.note(key, type, reason: "Scaled", message)
        try await store.commit(transaction)
    }

    @Test func `an event is read back as it was noted`() async throws {
        try await note("from 1 to 2", type: .warning)
        let event = try #require(try await store.events(EventQuery(of: Sample.iris)).events.first)
        #expect(event.kind == "deployment")
        #expect(event.name == "iris")
        #expect(event.type == .warning)
        #expect(event.reason == "Scaled")
        #expect(event.message == "from 1 to 2")
        #expect(event.actor == "system:reconciler")
        #expect(event.count == 1)
        #expect(event.lastAt == Sample.moment)
    }

    @Test func `the same event again is counted and comes first`() async throws {
        try await note("a")
        try await note("b", at: Sample.after(1))
        try await note("a", at: Sample.after(60))
        let events = try await store.events(EventQuery(of: Sample.iris)).events
        #expect(events.map(\.message) == ["a", "b"])
        #expect(events.map(\.count) == [2, 1])
        #expect(events[0].firstAt == Sample.moment)
        #expect(events[0].lastAt == Sample.after(60))
    }

    @Test func `after the window it is a new event`() async throws {
        try await note("a")
        try await note("a", at: Sample.after(601))
        #expect(try await store.events(EventQuery(of: Sample.iris)).events.map(\.count) == [1, 1])
    }

    @Test func `a target keeps its newest few`() async throws {
        for index in 0..<9 { try await note("\(index)") }
        try await note("other", on: DocumentKey(.replica, "r1"))
        let events = try await store.events(EventQuery(of: Sample.iris)).events
        #expect(events.map(\.message) == ["8", "7", "6", "5", "4"])
    }

    @Test func `queries by kind and type, in pages`() async throws {
        try await note("a")
        try await note("b", on: DocumentKey(.replica, "r1"), type: .warning)
        try await note("c", on: DocumentKey(.replica, "r2"))
        let warnings = try await store.events(EventQuery(type: .warning)).events
        #expect(warnings.map(\.message) == ["b"])
        let replicas = try await store.events(EventQuery(kind: .replica)).events
        #expect(replicas.map(\.message) == ["c", "b"])
        let first = try await store.events(EventQuery(pageSize: 2))
        let rest = try await store.events(
            EventQuery(pageSize: 2, pageToken: first.nextPageToken))
        #expect((first.events + rest.events).map(\.message) == ["c", "b", "a"])
        #expect(rest.nextPageToken == nil)
    }

    @Test func `a message that is too long keeps its beginning`() async throws {
        try await note("é" + String(repeating: "x", count: 5000))
        let event = try #require(try await store.events(EventQuery(of: Sample.iris)).events.first)
        #expect(event.message.utf8.count <= 2048)
        #expect(event.message.hasPrefix("éxxx"))
        #expect(event.message.hasSuffix("…"))
    }

    @Test func `upkeep lets go of the old and of the many`() async throws {
        try await note("old", on: DocumentKey(.replica, "r0"))
        for index in 0..<9 {
            try await note(
                "n", on: DocumentKey(.replica, "s\(index)"), at: Sample.after(31 * 24 * 3600))
        }
        let report = try await store.upkeep(now: Sample.after(31 * 24 * 3600))
        #expect(report.events == 2)
        #expect(try await store.events(EventQuery()).events.count == 8)
    }
}
