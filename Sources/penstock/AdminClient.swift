// One request to the admin port, one answer or one clear failure. Statuses become the exit codes
// of the contract here and nowhere else.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Notation

struct AdminClient {
    enum Verb: String {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    let server: String
    let token: String?
    /// The certificate that a gateway on this host presents, if the configuration names one.
    let localCertificate: String?

    /// - Parameter path: percent-encoded, from the root.
    func send(_ verb: Verb, _ path: String, body: String? = nil) async throws -> Data {
        var request = HTTPClientRequest(url: server + path)
        request.method = HTTPMethod(rawValue: verb.rawValue)
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "penstock/\(Version.text)")
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let (status, answer) = try await exchange(request)
        guard (200...299).contains(status) else { throw failure(status, answer) }
        return answer
    }

    /// A name as one segment of a path.
    static func segment(_ name: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~:")
        return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> (Int, Data) {
        do {
            return try await withClient { client in
                let response = try await client.execute(request, timeout: .seconds(30))
                let body = try await response.body.collect(upTo: 64 * 1024 * 1024)
                return (Int(response.status.code), Data(body.readableBytesView))
            }
        } catch let error as HTTPClientError
            where error == .deadlineExceeded || error == .readTimeout || error == .connectTimeout
        {
            throw Failure(.timedOut, "\(server) did not answer in time")
        } catch let error as NIOSSLError {
            throw Failure(
                .error,
                "\(server) cannot be trusted: \(error). Install the certificate of its issuer on "
                    + "this host, or append it to the file of admin.tls.certificate")
        } catch {
            throw Failure(
                .error,
                "no admin port answers at \(server); is penstock running? "
                    + "(another address: --server URL or PENSTOCK_SERVER)")
        }
    }

    /// A refused connection is an answer: nothing is gained by knocking until the time is up.
    private func withClient<Result: Sendable>(
        _ body: (HTTPClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = trust
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
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

    private func failure(_ status: Int, _ answer: Data) -> Failure {
        let problem = JSONValue(answer)
        let detail = problem?["detail"]?.text ?? problem?["title"]?.text ?? "status \(status)"
        let errors = problem?["errors"]?.list.compactMap { $0["message"]?.text } ?? []
        let further = errors.filter { !detail.contains($0) }
        let message = ([detail] + further).joined(separator: "\n  ")
        switch status {
        case 401 where token == nil:
            return Failure(
                .denied,
                "\(server) wants a token; set PENSTOCK_TOKEN, or name the state directory "
                    + "of this host's gateway with --state or --config")
        case 401, 403: return Failure(.denied, "\(server) refuses the token: \(message)")
        case 404: return Failure(.notFound, message)
        case 409, 412, 428: return Failure(.conflict, message)
        case 400, 422: return Failure(.usage, message)
        case 408, 504: return Failure(.timedOut, message)
        default: return Failure(.error, message)
        }
    }
}
