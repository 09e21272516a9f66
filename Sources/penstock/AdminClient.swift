// Requests to the admin port: one answer or one clear failure each. A change carries a key that
// makes sending it again harmless, so it is sent again when the answer was lost on the way.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Notation

struct AdminClient: Sendable {
    enum Verb: String {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: Data

        var json: JSONValue { JSONValue(body) ?? .null }
    }

    /// Bytes of an answer: a thousand deployments are two million.
    static let answerBytesMax = 64 * 1024 * 1024
    /// Times a change is sent whose answer got lost, and the pause before the next.
    private static let attempts = 3
    private static let pause = Duration.milliseconds(300)

    let server: String
    let token: String?
    /// Paths of this machine mean the same to the gateway.
    let isLocal: Bool
    /// The certificate that a gateway on this host presents, if the configuration names one.
    let localCertificate: String?

    /// - Parameter path: percent-encoded, from the root.
    func send(_ verb: Verb, _ path: String, body: String? = nil) async throws -> Data {
        try await exchange(verb, path, body: body).body
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> JSONValue {
        try await exchange(.get, path, query).json
    }

    /// Nil when there is no such thing.
    func find(_ path: String, _ query: [(String, String?)] = []) async throws -> JSONValue? {
        do {
            return try await get(path, query)
        } catch let failure as Failure where failure.code == .notFound {
            return nil
        }
    }

    /// A change, sent again with the same key when its answer was lost.
    func change(
        _ verb: Verb, _ path: String, _ query: [(String, String?)] = [], body: JSONValue? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let key = ("idempotency-key", UUID().uuidString.lowercased())
        var attempt = 1
        while true {
            do {
                return try await exchange(
                    verb, path, query, body: body?.compact, headers: headers + [key])
            } catch let failure as Failure where failure.mayBeRepeated && attempt < Self.attempts {
                attempt += 1
                try await Task.sleep(for: Self.pause * attempt)
            }
        }
    }

    func exchange(
        _ verb: Verb, _ path: String, _ query: [(String, String?)] = [], body: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = prepared(verb, path, query)
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let answer = try await exchange(request)
        if let stranger = stranger(answer) { throw stranger }
        guard (200...299).contains(answer.status) else { throw failure(answer) }
        return answer
    }

    func prepared(_ verb: Verb, _ path: String, _ query: [(String, String?)]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server + path + Self.text(of: query))
        request.method = HTTPMethod(rawValue: verb.rawValue)
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "penstock/\(Version.text)")
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        return request
    }

    /// A name as one segment of a path.
    static func segment(_ name: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~:")
        return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
    }

    private static func text(of query: [(String, String?)]) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~:,")
        let pairs = query.compactMap { name, value in
            value.map { value in
                "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? value)"
            }
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> Answer {
        try await telling {
            try await withClient { client in
                // Longer than the 30 s that an operation is waited for in one request.
                let response = try await client.execute(request, timeout: .seconds(40))
                let body = try await response.body.collect(upTo: Self.answerBytesMax)
                return Answer(
                    status: Int(response.status.code), headers: response.headers,
                    body: Data(body.readableBytesView))
            }
        }
    }

    /// What the network did, as a failure with what to do about it.
    func telling<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let failure as Failure {
            throw failure
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as HTTPClientError
            where error == .deadlineExceeded || error == .readTimeout
        {
            throw Failure(
                .timedOut, "\(server) did not answer in time", mayBeRepeated: true)
        } catch let error as HTTPClientError where error == .connectTimeout {
            throw Failure(.timedOut, "\(server) did not answer in time")
        } catch let error as HTTPClientError where error == .remoteConnectionClosed {
            throw Failure(
                .error, "\(server) closed the connection before it had answered",
                mayBeRepeated: true)
        } catch let error as NIOSSLError {
            throw await distrust("\(error)")
        } catch let error as NIOSSLExtraError {
            throw await distrust("\(error)")
        } catch {
            throw unreachable(error)
        }
    }

    /// A refused connection is an answer: nothing is gained by knocking until the time is up.
    func withClient<Result: Sendable>(
        readTimeout: TimeAmount? = nil, _ body: (HTTPClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = trust
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        configuration.timeout.read = readTimeout
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            // The first error is the one that tells.
            try? await client.shutdown()
            throw error
        }
    }

    /// On this host the certificate itself is known: it may be its own issuer, and need not be made
    /// out to a loopback address.
    private var trust: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        guard let localCertificate, FileManager.default.isReadableFile(atPath: localCertificate)
        else { return configuration }
        configuration.additionalTrustRoots = [.file(localCertificate)]
        configuration.certificateVerification = .noHostnameVerification
        return configuration
    }
}
