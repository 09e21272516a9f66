// What a file says of a deployment, applied three ways: what it says now, what it said when it was
// last applied, and what has been changed since. The rule is that of the configuration's own
// `deployments:`; only whose file it is differs.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    func applyDeployment(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let name = call.path("name")
        let there = try await existing(name)
        let change = try applied(call, to: there, named: name)
        return try await self.change(change, of: name, call, isDryRun: isDryRun)
    }

    /// Not inlined: see `change(_:of:_:isDryRun:reason:)`.
    @inline(never)
    private func applied(
        _ call: AdminCall, to there: DeploymentView?, named name: String
    ) throws -> DeploymentChange {
        let spec = try spec(call.json(), named: name)
        try call.require(
            there == nil ? .create : .update, .deployment,
            in: (there?.spec ?? spec).environment.rawValue)
        try checkSource(call, there)
        return .apply(spec)
    }

    /// The path says its name; the body need not say it again.
    private func spec(_ body: JSONValue, named name: String) throws -> DeploymentSpec {
        let isNamed = body.members?.contains { $0.name == "name" } ?? true
        let spec = try SpecReader().read(
            isNamed ? body : body.setting("name", to: .string(name)))
        guard spec.name == name else {
            throw Problem(
                status: 422, code: "INVALID_BODY",
                detail: "/name: \(Spelling.quoted(spec.name)) is not the name in the path",
                parts: [.member("name", "CONFLICT", "it is not the name in the path")])
        }
        return spec
    }

    /// One deployment belongs to one file: two that take turns would undo each other.
    private func checkSource(_ call: AdminCall, _ there: DeploymentView?) throws(Problem) {
        let source = call.query.text("source") ?? ChangeRequest.applySource
        guard Form<String>.isName(source), source.utf8.count <= 128 else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail:
                    "'source' is \(Spelling.quoted(source)); allowed: letters, digits, '-', '_' "
                    + "and '.', a letter or digit first")
        }
        guard source != ChangeRequest.fileSource else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "'source' is '\(source)', which is the gateway's own configuration",
                hint: "take another name, or change the configuration and reload it (SIGHUP)")
        }
        guard let from = there?.appliedFrom, from != source, !call.query.flag("takeOver") else {
            return
        }
        let place =
            from == ChangeRequest.fileSource
            ? "the gateway's configuration" : Spelling.quoted(from)
        throw Problem(
            status: 409, code: "APPLIED_ELSEWHERE",
            detail: "it is applied from \(place), not from \(Spelling.quoted(source))",
            hint: "change it there; or take it over, with ?takeOver=true or --take-over")
    }
}
