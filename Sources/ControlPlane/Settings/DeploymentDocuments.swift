// Deployments written down for `penstock apply`, `create -f` and `edit`: one map a document,
// several documents, a list of them, or a whole configuration of which only `deployments:` counts.
// What is wrong is told at its line; what is right goes to the admin port as it was written.

import Deployments
package import Notation
import Yams

package struct DeploymentDocuments: Sendable, Equatable {
    /// As the API takes them, in the order of the file.
    package var documents: [JSONValue]
    /// Other keys of a configuration: they count at start and reload only.
    package var ignored: [String]

    /// - Parameters:
    ///   - directory: what relative paths are relative to.
    ///   - isWhole: whether each document must be a deployment by itself; a part of one is read
    ///     without a look at what is missing.
    package static func read(
        _ bytes: [UInt8], file: String, directory: String, isWhole: Bool = true
    ) throws(SettingsError) -> DeploymentDocuments {
        guard bytes.count <= Limits.fileBytes else {
            throw .tooLarge(file: file, bytesMax: Limits.fileBytes)
        }
        let findings = Findings()
        let reading = Reading(
            workers: 1, directory: directory, surroundings: .unseen, features: .inForce)
        var found = DeploymentDocuments(documents: [], ignored: [])
        for root in Document.roots(of: bytes, findings: findings) {
            for node in found.nodes(of: root) {
                let value = Value(node: node, field: "", findings: findings)
                guard case .mapping = node else {
                    value.refuse("\(value.kind) where a deployment is expected")
                    continue
                }
                if isWhole { _ = reading.deployment(value) }
                found.documents.append(reading.json(node, at: []))
            }
        }
        found.refuseTwins(findings)
        guard findings.problems.isEmpty else {
            throw .invalid(file: file, problems: findings.sorted)
        }
        return found
    }

    /// A deployment, or the deployments of a configuration or a list.
    private mutating func nodes(of root: Node) -> [Node] {
        if case .sequence(let sequence) = root { return Array(sequence) }
        guard case .mapping(let mapping) = root,
            let inner = mapping.first(where: { $0.key.string == "deployments" })?.value
        else { return [root] }
        ignored += mapping.compactMap { $0.key.string }.filter { $0 != "deployments" }
        guard case .sequence(let sequence) = inner else { return [inner] }
        return Array(sequence)
    }

    private func refuseTwins(_ findings: Findings) {
        var seen = Set<String>()
        for name in documents.compactMap({ $0["name"]?.text }) where !seen.insert(name).inserted {
            findings.add("\(Spelling.quoted(name)) stands twice", line: 1, column: 1)
        }
    }
}
