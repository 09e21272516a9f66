// Why no admin port was reached, told by what is really there: nobody, a name that nobody knows, a
// port that speaks no TLS or is not believed, or a server that is none of ours.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension AdminClient {
    /// How long the question takes whether a port speaks plain HTTP.
    private static let probe = TimeAmount.seconds(2)

    /// An answer that no admin port gives, whatever its status says.
    func stranger(_ answer: Answer) -> Failure? {
        // Its own refusals have the one, what replicas answer the other.
        let marks = ["x-penstock-error", "x-penstock-revision"]
        if marks.contains(where: { !answer.headers[$0].isEmpty }) {
            return Failure(
                .error,
                "\(server) is a port of the gateway for clients, not its admin port; that one is "
                    + "admin.listen of its configuration (--server URL or PENSTOCK_SERVER)")
        }
        let type = answer.headers["content-type"].first ?? "none"
        guard answer.status != 204, !type.contains("json") else { return nil }
        return Failure(
            .error,
            "\(server) is no admin port: it answered \(answer.status) with content of type "
                + "\(type.prefix(80)) (another address: --server URL or PENSTOCK_SERVER)")
    }

    /// A handshake that failed: a port without TLS fails it, too.
    ///
    /// - Parameter error: names what went wrong in capitals, among the library's own matters.
    func distrust(_ error: String) async -> Failure {
        let plain = "http" + server.dropFirst("https".count)
        if await answersInPlain(plain) {
            return Failure(.error, "\(server) speaks no TLS; write \(plain)")
        }
        let words = error.split { !$0.isASCII || !($0.isUppercase || $0 == "_") }
            .filter { $0.contains("_") && $0.first != "_" && $0.last != "_" }
        let cause = words.map { $0.lowercased().replacing("_", with: " ") }.first
        return Failure(
            .error,
            "\(server) cannot be trusted: \(cause ?? "the handshake failed"). Install the "
                + "certificate of its issuer on this host, or append it to the file of "
                + "admin.tls.certificate")
    }

    private func answersInPlain(_ address: String) async -> Bool {
        var request = HTTPClientRequest(url: address + "/livez")
        // Nothing secret goes over a line that was meant to be sealed.
        request.headers.add(name: "user-agent", value: "penstock/\(Version.text)")
        let ready = request
        // Whatever goes wrong, it was no answer.
        let answer = try? await withClient { try await $0.execute(ready, timeout: Self.probe) }
        return answer != nil
    }

    func unreachable(_ error: any Error) -> Failure {
        let other = "(another address: --server URL or PENSTOCK_SERVER)"
        if error is HTTPParserError {
            let sealed =
                server.hasPrefix("http:") ? "; with TLS, write https:\(server.dropFirst(5))" : ""
            return Failure(
                .error, "what listens at \(server) gives no answer in HTTP\(sealed) \(other)")
        }
        let connecting = error as? NIOConnectionError
        if let connecting, connecting.connectionErrors.isEmpty {
            return Failure(
                .error,
                "no address is known for the name '\(connecting.host)' of \(server) \(other)")
        }
        let errors = [error] + (connecting?.connectionErrors.map(\.error) ?? [])
        let codes = errors.compactMap { ($0 as? IOError)?.errnoCode }
        guard let code = codes.first(where: { $0 != ECONNREFUSED }) else {
            return Failure(
                .error, "no admin port answers at \(server); is penstock running? \(other)")
        }
        let cause = NSError(domain: NSPOSIXErrorDomain, code: Int(code)).localizedDescription
        return Failure(.error, "\(server) cannot be reached: \(cause) \(other)")
    }
}
