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
    /// The version of the number is not the one that was named.
    case remade(VariableKind, String, version: Int)
    /// - Parameter users: deployments, or revisions of them.
    case inUse(VariableKind, String, users: [String])
}

extension VariableError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknown(let kind, let name, let known):
            "there is no \(kind.rawValue) '\(name)'"
                + (known.isEmpty ? "" : "; there is: " + known.joined(separator: ", "))
        case .unknownVersion(let kind, let name, let version, let known):
            "\(kind.rawValue) '\(name)' has no version \(version); there is: "
                + Self.ranges(known)
        case .elsewhere(let kind, let name, let environment):
            "\(kind.rawValue) '\(name)' belongs to \(environment.rawValue)"
        case .remade(let kind, let name, let version):
            "\(kind.rawValue) '\(name)' has a version \(version), but not the one that was named: "
                + "it was removed and made anew; redeploy to take the present one"
        case .inUse(let kind, let name, let users):
            "\(kind.rawValue) '\(name)' is used by: "
                + users.prefix(Self.told).joined(separator: ", ")
                + (users.count > Self.told ? " and \(users.count - Self.told) more" : "")
        }
    }

    /// More than this many are counted, not told: the sentence goes into statuses and events.
    private static let told = 5

    /// `1, 4 to 103`.
    private static func ranges(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers.sorted() {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        let words = ranges.map { range in
            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        }
        guard words.count > told else {
            return words.isEmpty ? "none" : words.joined(separator: ", ")
        }
        return "\(words.count) ranges, the last of them " + (words.last ?? "")
    }
}
