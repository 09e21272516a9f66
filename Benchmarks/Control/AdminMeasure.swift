// Lists as an operator gets them: the real admin port on loopback, one connection, one request
// after another, from the first byte sent to the last byte read.

import Admin
import AsyncHTTPClient
import Deployments
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Reactor
import State
import Traffic

enum AdminMeasure {
    private static let requests = 200

    static func rows(
        _ store: Store, _ director: TrafficDirector, _ controller: Controller
    ) async throws -> [ControlBenchmark.Row] {
        guard let loopback = Reactor.SocketAddress(numeric: "127.0.0.1", port: 0) else {
            preconditionFailure("a numeric address is one")
        }
        let socket = try Sockets.listen(on: loopback, isExclusive: true)
        let url = "http://127.0.0.1:\(Sockets.boundPort(socket))/v1/deployments"
        let token = try store.adminToken(now: Date()).text
        let server = try AdminServer(
            options: AdminOptions(address: .tcp(host: "127.0.0.1", port: 0)), tokens: store,
            director: director, version: "benchmark", logger: Logger(label: "benchmark"),
            memory: AdminMemory(
                control: controller, models: StoredModels(store: store), store: store,
                gatewayURL: { "http://127.0.0.1:8080" }))
        let door = Task { try await accept(socket, into: server) }
        var rows: [ControlBenchmark.Row] = []
        for (name, query) in [("usual page", ""), ("page of 1000", "?pageSize=1000")] {
            let times = try await times(url + query, token)
            for (word, share) in [("median", 0.5), ("p99", 0.99)] {
                rows.append(
                    .init(
                        name: "list over HTTP, \(name), \(word)",
                        value: ControlBenchmark.quantile(times, share), unit: "ms", goal: 20))
            }
        }
        server.stop()
        door.cancel()
        Sockets.close(socket)
        return rows
    }

    /// Milliseconds of each request; the first few, which open the connection, do not count.
    private static func times(_ url: String, _ token: String) async throws -> [Double] {
        var times: [Double] = []
        for number in 0..<requests + 10 {
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "authorization", value: "Bearer \(token)")
            let start = ContinuousClock.now
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 26)
            guard response.status == .ok, body.readableBytes > 10_000 else {
                throw Unexpected(status: Int(response.status.code), bytes: body.readableBytes)
            }
            if number >= 10 { times.append(ControlBenchmark.seconds(since: start) * 1000) }
        }
        return times
    }

    private static func accept(_ socket: Int32, into server: AdminServer) async throws {
        let connections = AsyncStream.makeStream(of: Int32.self)
        let knocking = Task {
            while !Task.isCancelled {
                if case .connection(let connection, _) = Sockets.accept(socket) {
                    connections.continuation.yield(connection)
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        defer { knocking.cancel() }
        try await server.run(
            on: AdminConnections(
                descriptors: connections.stream, release: {},
                stop: { connections.continuation.finish() }))
    }

    private struct Unexpected: Error {
        var status: Int
        var bytes: Int
    }
}
