// Who has to go when the admin port holds too many connections: whoever keeps it waiting longest,
// whether with a request, with the rest of one, or with answers that nobody takes.

import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Admin

@Suite struct ConnectionBookTests {
    private let book = ConnectionBook(limit: 2)

    private func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handlers: [
            ConnectionCutter(), ConnectionDeadlines(book: book),
        ])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        return channel
    }

    private func begin(_ channel: EmbeddedChannel) throws {
        let head = HTTPRequest(method: .get, scheme: nil, authority: "localhost", path: "/livez")
        try channel.writeInbound(HTTPRequestPart.head(head))
    }

    private func ask(_ channel: EmbeddedChannel) throws {
        try begin(channel)
        try channel.writeInbound(HTTPRequestPart.end(nil))
    }

    private func setReading(_ isReading: Bool, _ channel: EmbeddedChannel) {
        channel.isWritable = isReading
        channel.pipeline.fireChannelWritabilityChanged()
    }

    @Test func `one at work stays, however long it has been there`() throws {
        let (old, idle) = (try connection(), try connection())
        try ask(old)
        let new = try connection()
        #expect(old.isActive && !idle.isActive && new.isActive)
    }

    @Test func `one whose request never ends goes`() throws {
        let (half, whole) = (try connection(), try connection())
        try begin(half)
        try ask(whole)
        let new = try connection()
        #expect(!half.isActive && whole.isActive && new.isActive)
    }

    @Test func `one that takes no answers goes`() throws {
        let (deaf, whole) = (try connection(), try connection())
        try ask(deaf)
        setReading(false, deaf)
        try ask(whole)
        let new = try connection()
        #expect(!deaf.isActive && whole.isActive && new.isActive)
    }

    @Test func `one that asks on and takes no answers goes, too`() throws {
        let (deaf, whole) = (try connection(), try connection())
        setReading(false, deaf)
        try ask(deaf)
        try ask(whole)
        let new = try connection()
        #expect(!deaf.isActive && whole.isActive && new.isActive)
    }

    @Test func `one that takes them again stays`() throws {
        let (late, idle) = (try connection(), try connection())
        try ask(late)
        setReading(false, late)
        setReading(true, late)
        let new = try connection()
        #expect(late.isActive && !idle.isActive && new.isActive)
    }

    @Test func `one that has its answer is idle`() throws {
        let (old, other) = (try connection(), try connection())
        try ask(old)
        try ask(other)
        try old.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try old.writeOutbound(HTTPResponsePart.end(nil))
        let new = try connection()
        #expect(!old.isActive && other.isActive && new.isActive)
    }
}
