// The one opening between the planes. Data crosses it; imports never do.

/// What the control plane may ask of a data plane.
package protocol TrafficGate: Sendable {
    /// Replaces the plan whole. Returns when every loop has been told, not when each has swapped:
    /// `generationInForce()` says that.
    ///
    /// - Throws: `TrafficPlanError.cannotListen` when a listener cannot be opened; the old plan
    ///   then stays in force, untouched.
    func apply(_ plan: TrafficPlan) throws(TrafficPlanError)

    /// Copies out monotonic counters, histograms and health. Costs the loops nothing.
    func report() -> TrafficReport

    /// The lowest plan generation in force on any loop. Cheap enough to poll.
    func generationInForce() -> UInt64
}

/// Why a plan is refused. Every case names the place and what is allowed.
package enum TrafficPlanError: Error, Sendable, Equatable {
    case duplicateService(String)
    case noRevision(service: String)
    case duplicateRevision(service: String, revision: String)
    case weightsDoNotSum(service: String, thousandths: Int)
    case duplicateEndpoint(service: String, revision: String, address: NetworkAddress)
    case duplicateListener(NetworkAddress)
    case noCertificate(NetworkAddress)
    case equalRoutes(service: String, other: String, route: RoutePlan)
    case outOfRange(field: String, value: String, allowed: String)
    case cannotListen(address: NetworkAddress, reason: String)
    /// Certificates, keys or authorities that cannot be used.
    case cannotSecure(place: String, reason: String)
}

extension TrafficPlanError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .duplicateService(let name):
            "services: two are named '\(name)'; names are unique"
        case .noRevision(let service):
            "services.\(service).revisions: at least one is needed"
        case .duplicateRevision(let service, let revision):
            "services.\(service).revisions: two are named '\(revision)'; names are unique"
        case .weightsDoNotSum(let service, let thousandths):
            "services.\(service).revisions: weights sum to "
                + "\(thousandths / 10).\(thousandths % 10), they must sum to 100"
        case .duplicateEndpoint(let service, let revision, let address):
            "services.\(service).revisions.\(revision).endpoints: \(address) stands twice"
        case .duplicateListener(let address):
            "gateway.listeners: \(address) stands twice"
        case .noCertificate(let address):
            "gateway.listeners: \(address) has TLS without any certificate"
        case .equalRoutes(let service, let other, let route):
            "services.\(service).routes: \(route) is also a route of '\(other)'"
        case .outOfRange(let field, let value, let allowed):
            "\(field): \(value) is not allowed; allowed: \(allowed)"
        case .cannotSecure(let place, let reason):
            "\(place): \(reason)"
        case .cannotListen(let address, let reason):
            "gateway.listeners: cannot listen on \(address): \(reason)"
        }
    }
}

extension RoutePlan: CustomStringConvertible {
    package var description: String {
        var keys: [String] = []
        if let host { keys.append("host: \(host)") }
        if let path { keys.append("path: \(path)") }
        if let header { keys.append("header: \"\(header.name): \(header.value)\"") }
        if let model { keys.append("model: \(model)") }
        return "{ \(keys.joined(separator: ", ")) }"
    }
}
