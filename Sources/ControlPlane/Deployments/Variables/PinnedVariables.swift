// What a revision's references meant when it was made: `hf-token` is `hf-token#3` from then on.
// Values are not in it; they are fetched for each start and told to the replica alone.

package import State

package struct PinnedVariables: Sendable, Equatable, Codable {
    /// By the variable that will hold the secret.
    package var secrets: [String: Pin] = [:]
    /// Later ones win.
    package var configs: [Pin] = []

    package struct Pin: Sendable, Equatable, Codable {
        package var name: String
        package var version: Int
        package var fingerprint: String
    }

    package init() {}

    package var isEmpty: Bool { secrets.isEmpty && configs.isEmpty }

    /// SHA-256 over names, versions and fingerprints: equal for equal content.
    package var digest: String {
        let parts =
            secrets.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
            + configs.map(\.text)
        return Digest.sha256(Array(parts.joined(separator: "\n").utf8))
    }
}

extension PinnedVariables.Pin {
    fileprivate var text: String { "\(name)#\(version)@\(fingerprint)" }
}

/// What a replica's environment gets from them.
package struct VariableValues: Sendable, Equatable {
    package var secrets: [String: String] = [:]
    /// Of all configs, merged.
    package var variables: [String: String] = [:]

    package init() {}
}

/// Where references lead.
package protocol VariableSource: Sendable {
    /// - Throws: `SpecProblems` naming each reference that leads nowhere.
    func pin(_ spec: DeploymentSpec) async throws -> PinnedVariables

    /// What must still hold when something that names these versions is stored.
    ///
    /// - Throws: `SpecProblems` naming each version that is not there any more.
    func conditions(_ pinned: PinnedVariables) async throws -> [Transaction.Check]

    /// The secrets among what was pinned, to be hidden where replicas may have printed them; what
    /// is not there any more is left out.
    func secrets(of pinned: [PinnedVariables]) async throws -> Set<String>

    /// - Throws: `VariableError`, `StateError`.
    func values(_ pinned: PinnedVariables) async throws -> VariableValues
}
