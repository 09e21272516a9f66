// Both ends of the wire against each other: thousands of streams, random bodies, random pieces,
// random stalls and resets; everything that was not reset arrives whole and in order.

import Fixtures
import HTTPWire
import Testing

/// What was sent and seen of one exchange.
private struct Exchange {
    var request: [UInt8] = []
    var answer: [UInt8] = []
    var hasTrailers = false
    var askedHead = false
    var gotHead = false
    var askedEnd = false
    var gotEnd = false
    var requestSent = 0
    var answerSent = 0
    var hasAnswered = false
    var wasReset = false
}

private final class Pair {
    let server: HTTP2Drive
    let client: HTTP2Drive
    var random: SeededGenerator
    var exchanges: [Int32: Exchange] = [:]
    var begun = 0

    init(seed: UInt64) throws {
        server = try HTTP2Drive(server: HTTP2Options())
        client = try HTTP2Drive(client: HTTP2Options())
        random = SeededGenerator(seed: seed)
        server.showsData = false
        client.showsData = false
    }

    /// Every byte in turn, again and again: pieces of it are bodies.
    private static let ramp = Array(repeating: Array(UInt8(0)...255), count: 120).flatMap(\.self)

    func bytes(upTo most: Int) -> [UInt8] {
        let count = Int.random(in: 0...most, using: &random)
        let first = Int.random(in: 0...255, using: &random)
        return Array(Self.ramp[first..<(first + count)])
    }

    func begin(bodiesUpTo most: Int) throws {
        guard client.session.canRequest else { return }
        var exchange = Exchange()
        exchange.request = bytes(upTo: most)
        exchange.answer = bytes(upTo: most)
        exchange.hasTrailers = Bool.random(using: &random)
        let head = "POST /x HTTP/1.1\r\nHost: b\r\nX-Number: \(begun)\r\n\r\n"
        let stream = try client.request(head, ends: false)
        exchanges[stream.id] = exchange
        begun += 1
    }

    /// Moves some of the bytes that one side has to send, in one piece or several.
    func deliver(_ from: HTTP2Drive, _ to: HTTP2Drive, atMost: Int) {
        let bytes = from.outputBytes()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...atMost, using: &random))
            note(to.take(Array(bytes[start..<end])), at: to)
            start = end
        }
        note(from.notices(), at: from)
    }

    func note(_ seen: [Seen], at end: HTTP2Drive) {
        let isServer = end === server
        for event in seen {
            switch event {
            case .head(let id, _, let ends):
                if isServer {
                    exchanges[id]?.askedHead = true
                } else {
                    exchanges[id]?.gotHead = true
                }
                if ends { finish(id, isServer) }
            case .data(let id, _, let ends):
                if ends { finish(id, isServer) }
            case .trailers(let id, _), .end(let id): finish(id, isServer)
            case .reset(let id, _): exchanges[id]?.wasReset = true
            default: break
            }
        }
    }

    func finish(_ id: Int32, _ isServer: Bool) {
        if isServer { exchanges[id]?.askedEnd = true } else { exchanges[id]?.gotEnd = true }
    }

    /// Sends the next piece of a body, if there is room; both sides are free to be slow.
    func send(_ id: Int32) throws {
        guard var exchange = exchanges[id], !exchange.wasReset else { return }
        let piece = Int.random(in: 1...5_000, using: &random)
        if exchange.requestSent <= exchange.request.count {
            let end = min(exchange.request.count, exchange.requestSent + piece)
            let isLast = end == exchange.request.count
            let bytes = Array(exchange.request[exchange.requestSent..<end])
            client.roomBytes = 0
            _ = try client.sendBytes(id, bytes, ends: isLast)
            exchange.requestSent = isLast ? exchange.request.count + 1 : end
        }
        if exchange.askedHead {
            if !exchange.hasAnswered { try server.respond(id, ends: false) }
            exchange.hasAnswered = true
            if exchange.answerSent <= exchange.answer.count {
                let end = min(exchange.answer.count, exchange.answerSent + piece)
                let isLast = end == exchange.answer.count
                let bytes = Array(exchange.answer[exchange.answerSent..<end])
                server.roomBytes = 0
                _ = try server.sendBytes(id, bytes, ends: isLast && !exchange.hasTrailers)
                if isLast, exchange.hasTrailers { try server.sendTrailers(id, "x-end: 1\r\n\r\n") }
                exchange.answerSent = isLast ? exchange.answer.count + 1 : end
            }
        }
        exchanges[id] = exchange
        server.roomBytes = 20_000
        client.roomBytes = 20_000
    }

    /// Lets go of what is over, and checks it.
    func settle() throws -> Int {
        var done = 0
        for (id, exchange) in exchanges {
            let isComplete = exchange.gotEnd && exchange.askedEnd
            guard isComplete || exchange.wasReset else { continue }
            if isComplete {
                #expect(server.received[id] ?? [] == exchange.request)
                #expect(client.received[id] ?? [] == exchange.answer)
            }
            server.received[id] = nil
            client.received[id] = nil
            client.streams.removeValue(forKey: id)?.release()
            server.streams.removeValue(forKey: id)?.release()
            exchanges[id] = nil
            done += 1
        }
        return done
    }
}

@Suite struct HTTP2RoundTripTests {
    @Test func `ten thousand exchanges on one connection`() throws {
        let pair = try Pair(seed: 1)
        var done = 0
        while done < 10_000 {
            for _ in 0..<50 where pair.begun < 10_000 { try pair.begin(bodiesUpTo: 0) }
            for id in pair.exchanges.keys { try pair.send(id) }
            pair.deliver(pair.client, pair.server, atMost: 60_000)
            for id in pair.exchanges.keys { try pair.send(id) }
            pair.deliver(pair.server, pair.client, atMost: 60_000)
            done += try pair.settle()
        }
        #expect(done == 10_000)
        #expect(pair.server.session.streamCount == 0)
        #expect(pair.client.session.streamCount == 0)
        #expect(pair.server.session.fault == nil)
    }

    @Test(arguments: [UInt64(11), 12, 13, 14, 15, 16])
    func `any schedule brings every body whole`(_ seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        var done = 0
        for _ in 0..<3_000 where done < 40 {
            switch Int.random(in: 0..<10, using: &pair.random) {
            case 0 where pair.begun < 40: try pair.begin(bodiesUpTo: 30_000)
            case 1, 2: pair.deliver(pair.client, pair.server, atMost: 30_000)
            case 3, 4: pair.deliver(pair.server, pair.client, atMost: 30_000)
            case 5 where pair.begun > 5:
                if Int.random(in: 0..<40, using: &pair.random) == 0 { cancelOne(pair) }
            default:
                let ids = pair.exchanges.keys.sorted()
                if let id = ids.randomElement(using: &pair.random) { try pair.send(id) }
            }
            done += try pair.settle()
        }
        for _ in 0..<2_000 where !pair.exchanges.isEmpty {
            for id in pair.exchanges.keys.sorted() { try pair.send(id) }
            pair.deliver(pair.client, pair.server, atMost: 60_000)
            pair.deliver(pair.server, pair.client, atMost: 60_000)
            _ = try pair.settle()
        }
        #expect(pair.exchanges.isEmpty, "seed \(seed)")
        pair.deliver(pair.client, pair.server, atMost: 60_000)
        pair.deliver(pair.server, pair.client, atMost: 60_000)
        #expect(pair.server.session.pendingBytes + pair.client.session.pendingBytes == 0)
        #expect(pair.server.session.streamCount + pair.client.session.streamCount == 0)
        #expect(pair.server.session.fault == nil && pair.client.session.fault == nil, "\(seed)")
    }

    private func cancelOne(_ pair: Pair) {
        let ids = pair.client.streams.keys.sorted()
        guard let id = ids.randomElement(using: &pair.random) else { return }
        pair.client.streams.removeValue(forKey: id)?.reset(.cancel)
        pair.server.streams.removeValue(forKey: id)?.reset(.cancel)
        pair.exchanges[id] = nil
    }
}
