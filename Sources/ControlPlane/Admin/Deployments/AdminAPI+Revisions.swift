// Revisions: listed, read, compared.

import Deployments
import Notation

extension AdminAPI {
    func listRevisions(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.path("name")
        let current = try await control().view(name).revision
        let revisions = try await control().revisions(of: name)
        let listing = try Listing(
            call.query, pager, question: "revisions of \(name)", of: "Revision")
        return .json(
            listing.page(revisions, as: "revisions", id: { Self.descending($0.number) }) {
                $0.json(isInForce: $0.number == current)
            })
    }

    func getRevision(_ call: AdminCall) async throws -> AdminResponse {
        let current = try await control().view(call.path("name")).revision
        let revision = try await revision(call.path("number"), of: call.path("name"))
        return .json(revision.json(isInForce: revision.number == current))
    }

    func diffRevisions(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.path("name")
        let first = try await revision(call.path("number"), of: name)
        let wanted: Int
        if let with = call.query.whole("with") {
            wanted = with
        } else {
            wanted = try await control().view(name).revision
        }
        let second = try await revision(String(wanted), of: name)
        return .json(
            .object([
                "from": .count(first.number), "to": .count(second.number),
                "differences": .array(first.difference(to: second).map(\.json)),
            ]))
    }

    private func revision(_ text: String, of name: String) async throws -> Revision {
        let revisions = try await control().revisions(of: name)
        guard let number = Int(text), number > 0 else {
            throw Problem(
                status: 404, code: "REVISION_NOT_FOUND",
                detail: "\(Spelling.quoted(text)) is no number of a revision")
        }
        guard let revision = revisions.first(where: { $0.number == number }) else {
            throw ControlError.unknownRevision(
                number, deployment: name, known: revisions.map(\.number))
        }
        return revision
    }

    /// Sorts the newest first where names sort upwards.
    private static func descending(_ number: Int) -> String {
        let text = String(1_000_000_000 - number)
        return String(repeating: "0", count: 10 - text.count) + text
    }
}
