// Variables that deployments name instead of holding them: secrets, one value each, and configs,
// sets of variables. A version never changes; setting another value makes the next one, so that a
// revision that named the old one runs the same again.

package import Foundation
import State

package enum VariableKind: String, Sendable, CaseIterable {
    case secret, config

    var document: DocumentKind { DocumentKind(rawValue) }
}

package struct VariableVersion: Sendable, Equatable, Codable {
    /// Counts from 1.
    package var number: Int
    package var createdAt: Date
    package var createdBy: String
    /// Equal for equal content; tells nothing of it to who lacks the key.
    package var fingerprint: String
    /// A secret's value, sealed.
    package var sealed: String?
    /// A config's variables.
    package var values: [String: String]?
}

package struct VariableRecord: Sendable, Equatable, Codable {
    package var name: String
    /// Only deployments of this environment may name it.
    package var environment: DeploymentSpec.Environment
    package var description: String
    /// Oldest first; never empty.
    package var versions: [VariableVersion]

    package var newest: VariableVersion? { versions.last }
}

package enum VariableError: Error, Sendable, Equatable {
    case unknown(VariableKind, String, known: [String])
    case unknownVersion(VariableKind, String, version: String, known: [Int])
    /// It belongs to one environment, and another was named.
    case elsewhere(VariableKind, String, is: DeploymentSpec.Environment)
    case inUse(VariableKind, String, deployments: [String])
}

extension VariableError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknown(let kind, let name, let known):
            "there is no \(kind.rawValue) '\(name)'"
                + (known.isEmpty ? "" : "; there is: " + known.joined(separator: ", "))
        case .unknownVersion(let kind, let name, let version, let known):
            "\(kind.rawValue) '\(name)' has no version \(version); there is: "
                + known.map(String.init).joined(separator: ", ")
        case .elsewhere(let kind, let name, let environment):
            "\(kind.rawValue) '\(name)' belongs to \(environment.rawValue)"
        case .inUse(let kind, let name, let deployments):
            "\(kind.rawValue) '\(name)' is used by: " + deployments.joined(separator: ", ")
        }
    }
}
