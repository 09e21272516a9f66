// Server-sent events of the admin port: one after the other until the stream ends, somebody says
// stop, or nothing has come for longer than a heartbeat takes.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Notation

struct ServerEvent: Sendable {
    var id: String?
    var name = ""
    var data = ""

    var json: JSONValue { JSONValue(Data(data.utf8)) ?? .null }
}

extension AdminClient {
    /// The server sends something each 15 s; after this long without, it is gone.
    private static let silence = TimeAmount.seconds(40)

    /// - Parameter take: whether to go on.
    func follow(
        _ path: String, _ query: [(String, String?)] = [], lastEventID: String? = nil,
        _ take: (ServerEvent) async throws -> Bool
    ) async throws {
        var request = prepared(.get, path, query)
        request.headers.replaceOrAdd(name: "accept", value: "text/event-stream")
        if let lastEventID { request.headers.add(name: "last-event-id", value: lastEventID) }
        let ready = request
        try await telling {
            try await withClient(readTimeout: Self.silence) { client in
                let response = try await client.execute(ready, deadline: .distantFuture)
                guard response.status.code == 200 else {
                    let body = try await response.body.collect(upTo: Self.answerBytesMax)
                    let answer = Answer(
                        status: Int(response.status.code), headers: response.headers,
                        body: Data(body.readableBytesView))
                    throw stranger(answer) ?? failure(answer)
                }
                var reader = ServerEventReader()
                for try await chunk in response.body {
                    for event in reader.read(chunk.readableBytesView) {
                        guard try await take(event) else { return }
                    }
                }
            }
        }
    }
}

/// Bytes as they come, events as they are complete.
struct ServerEventReader {
    private var line: [UInt8] = []
    private var event = ServerEvent()

    mutating func read(_ bytes: some Sequence<UInt8>) -> [ServerEvent] {
        var events: [ServerEvent] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if let event = take(String(decoding: line, as: UTF8.self)) { events.append(event) }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func take(_ line: String) -> ServerEvent? {
        guard !line.isEmpty else {
            defer { event = ServerEvent() }
            // One without data tells how far the stream is.
            return event.data.isEmpty && event.id == nil ? nil : event
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        switch parts[0] {
        case "id": event.id = value
        case "event": event.name = value
        case "data": event.data += event.data.isEmpty ? value : "\n" + value
        default: break
        }
        return nil
    }
}
