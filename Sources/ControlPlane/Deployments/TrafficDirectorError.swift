// Why a change of traffic is refused, or not known to have arrived.

package enum TrafficDirectorError: Error, Sendable, Equatable {
    case notLoaded
    /// A deployment and a service of the file have the same name.
    case nameClash(service: String)
    case unknownService(String, known: [String])
    case unknownRevision(service: String, revision: String, known: [String])
    case unknownEndpoint(service: String, address: String, known: [String])
    case outOfRange(service: String, revision: String, thousandths: Int)
    case doesNotSum(service: String, thousandths: Int)
    /// The database did not take the change; nothing was applied.
    case notStored(reason: String)
    /// The change is stored, and the data plane refused it: the next start would meet it again.
    case notApplied(generation: UInt64, reason: String)
    /// The change is stored and on its way, but some loop had not confirmed it in time.
    case notYetInForce(generation: UInt64, inForce: UInt64)
}

extension TrafficDirectorError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notLoaded:
            "no configuration has been loaded yet; try again in a moment"
        case .nameClash(let service):
            "'\(service)' is the name of a service and of a deployment; names are unique"
        case .unknownService(let name, let known):
            "there is no service '\(name)'; there is: \(Self.list(known))"
        case .unknownRevision(let service, let revision, let known):
            "service '\(service)' has no revision '\(revision)'; it has: \(Self.list(known))"
        case .unknownEndpoint(let service, let address, let known):
            "service '\(service)' has no endpoint '\(address)'; it has: \(Self.list(known))"
        case .outOfRange(let service, let revision, let thousandths):
            "the share of '\(revision)' in '\(service)' is \(Self.percent(thousandths)); "
                + "allowed: 0 to 100"
        case .doesNotSum(let service, let thousandths):
            "the shares of '\(service)' sum to \(Self.percent(thousandths)); they must sum to 100"
        case .notStored(let reason):
            "the change could not be stored, so nothing was changed: \(reason)"
        case .notApplied(let generation, let reason):
            "generation \(generation) is stored, but the gateway refused it: \(reason)"
        case .notYetInForce(let generation, let inForce):
            "generation \(generation) is stored and sent, but not yet in force on every worker "
                + "(lowest: \(inForce)); look again in a moment, there is no need to repeat it"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    private static func percent(_ thousandths: Int) -> String {
        thousandths % 10 == 0
            ? "\(thousandths / 10)"
            : "\(thousandths < 0 ? "-" : "")\(abs(thousandths / 10)).\(abs(thousandths % 10))"
    }
}
