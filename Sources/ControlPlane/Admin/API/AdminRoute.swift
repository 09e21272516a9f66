// The admin port's paths as values: which resource, which methods. Decoding happens after the cut
// at '/', so an encoded slash stays inside its segment.

import Foundation

enum AdminRoute: Equatable {
    case live
    case ready
    case metrics
    case system
    case services
    case service(String)
    case traffic(String)
    case stats(String)
    case drain(service: String, address: String, isDrained: Bool)

    /// - Throws: `Problem` for a path that leads nowhere or cannot be decoded.
    init(path: String) throws(Problem) {
        var segments: [String] = []
        for raw in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = String(raw).removingPercentEncoding else {
                throw Problem(
                    status: 400, code: "INVALID_PATH",
                    detail: "'\(raw)' is not percent-encoded UTF-8")
            }
            segments.append(segment)
        }
        guard path.hasPrefix("/"), let route = AdminRoute(segments: segments[...]) else {
            throw Problem(
                status: 404, code: "NOT_FOUND", detail: "there is nothing at '\(path)'",
                hint: "docs/admin-api.md lists what there is")
        }
        self = route
    }

    private init?(segments: ArraySlice<String>) {
        switch segments {
        case ["livez"]: self = .live
        case ["readyz"]: self = .ready
        case ["metrics"]: self = .metrics
        case ["v1", "system"]: self = .system
        case ["v1", "services"]: self = .services
        default:
            guard segments.starts(with: ["v1", "services"]) else { return nil }
            self.init(inService: segments.dropFirst(2))
        }
    }

    private init?(inService segments: ArraySlice<String>) {
        guard let name = segments.first, !name.isEmpty else { return nil }
        switch Array(segments.dropFirst()) {
        case []: self = .service(name)
        case ["traffic"]: self = .traffic(name)
        case ["stats"]: self = .stats(name)
        case let rest where rest.first == "endpoints" && rest.count > 1:
            // A unix socket's slashes may come encoded or as they are.
            let target = rest.dropFirst().joined(separator: "/")
            if target.hasSuffix(":drain") {
                let address = String(target.dropLast(":drain".count))
                self = .drain(service: name, address: address, isDrained: true)
            } else if target.hasSuffix(":undrain") {
                let address = String(target.dropLast(":undrain".count))
                self = .drain(service: name, address: address, isDrained: false)
            } else {
                return nil
            }
        default: return nil
        }
    }

    var methods: [String] {
        switch self {
        case .live, .ready, .metrics, .system, .services, .service, .stats: ["GET", "HEAD"]
        case .traffic: ["GET", "HEAD", "PUT", "DELETE"]
        case .drain: ["POST"]
        }
    }
}
