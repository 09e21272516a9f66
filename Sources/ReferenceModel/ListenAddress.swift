// Where the server listens, as typed: `127.0.0.1:0`, `[::1]:9001` or `unix:/path`.

import Hummingbird

package enum ListenAddress: Equatable, Sendable, CustomStringConvertible {
    case internet(host: String, port: Int)
    case unix(path: String)

    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            // sun_path holds 108 bytes, the last of them NUL.
            guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .internet(host: String(host), port: Int(port))
    }

    package var description: String {
        switch self {
        case .internet(let host, let port):
            host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    var bindAddress: BindAddress {
        switch self {
        case .internet(let host, let port): .hostname(host, port: port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }

    /// The same address with the port the kernel chose.
    func bound(port: Int?) -> ListenAddress {
        guard case .internet(let host, _) = self, let port else { return self }
        return .internet(host: host, port: port)
    }
}
