// How a verb finds a running gateway: a given server, else the configuration's, else the default;
// a given token, else the one in the state directory of this host.

import ArgumentParser
import Foundation
import Settings
import Traffic

struct ServerOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "The admin port's URL (or PENSTOCK_SERVER; default: the configuration's).")
    var server: String?

    @OptionGroup var options: ConfigurationOptions

    func client() throws -> AdminClient {
        let environment = ProcessInfo.processInfo.environment
        let configuration = try nearbyConfiguration()
        let given = server ?? environment["PENSTOCK_SERVER"].flatMap { $0.isEmpty ? nil : $0 }
        let address = try given.map(Self.url) ?? Self.url(of: configuration?.admin)
        var token = environment["PENSTOCK_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        // The token of this host is no other host's business.
        let isLocal = Self.isLocal(address)
        if token == nil, isLocal { token = storedToken(configuration) }
        return AdminClient(
            server: address, token: token, isLocal: isLocal,
            localCertificate: isLocal ? configuration?.admin.tls?.certificate : nil)
    }

    /// A named file must be good; one that merely lies here may be any.
    private func nearbyConfiguration() throws -> Configuration? {
        if options.config != nil { return try options.load(.unseen) }
        return try? options.load(.unseen)
    }

    private func storedToken(_ configuration: Configuration?) -> String? {
        let state = options.state ?? configuration?.statePath ?? "var/penstock"
        let file = URL(filePath: state).appending(path: "admin.token")
        // Without a token the server's answer says what is missing.
        let text = try? String(contentsOf: file, encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func url(_ text: String) throws -> String {
        let full = text.contains("://") ? text : "http://\(text)"
        guard let url = URL(string: full), url.host() != nil,
            ["http", "https"].contains(url.scheme ?? "")
        else { throw Failure(.usage, "'\(text)' is no server; write http://host:port") }
        return full.hasSuffix("/") ? String(full.dropLast()) : full
    }

    private static func url(of admin: AdminSettings?) -> String {
        guard let admin, case .tcp(let host, let port) = admin.listen else {
            return "http://127.0.0.1:9090"
        }
        // Whoever listens everywhere also listens here.
        let nearest = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        let scheme = admin.tls == nil ? "http" : "https"
        return "\(scheme)://\(NetworkAddress.tcp(host: nearest, port: port))"
    }

    private static func isLocal(_ server: String) -> Bool {
        let host = URL(string: server)?.host() ?? ""
        if host == "localhost" { return true }
        let bits = AddressBits(host.trimmingCharacters(in: ["[", "]"]))
        return bits.map { bits in AddressRange.loopback.contains { $0.contains(bits) } } ?? false
    }
}
