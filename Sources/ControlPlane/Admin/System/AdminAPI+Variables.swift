// Secrets and configs: set, told of, removed. Rights are those for their environment; what a token
// may not see is, for it, not there.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    func listVariables(
        _ kind: VariableKind, _ plural: String, _ resource: ResourceKind, _ call: AdminCall
    ) async throws -> AdminResponse {
        try requireSomewhere(.read, resource, call)
        let listing = try Listing(
            call.query, pager, question: plural, of: kind == .secret ? "Secret" : "Config")
        let records = try await needed().variables.list(kind).filter {
            call.authorization.allows(.read, resource, in: $0.environment.rawValue)
        }
        return .json(
            listing.page(records, as: plural, id: { $0.name }) { $0.json(as: kind) })
    }

    func getVariables(
        _ kind: VariableKind, _ resource: ResourceKind, _ call: AdminCall
    ) async throws -> AdminResponse {
        try requireSomewhere(.read, resource, call)
        let record = try await needed().variables.record(kind, call.path("name"))
        guard call.authorization.allows(.read, resource, in: record.environment.rawValue) else {
            throw VariableError.unknown(kind, record.name, known: [])
        }
        return .json(record.json(as: kind))
    }

    func setVariables(
        _ kind: VariableKind, _ resource: ResourceKind, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        let form = kind == .secret ? AdminRoutes.secretForm : AdminRoutes.configForm
        let values = try call.values(form)
        let environment = try values.needed(AdminRoutes.variableEnvironment)
        try call.require(.update, resource, in: environment.rawValue)
        let name = call.path("name")
        guard Form<String>.isName(name), name.utf8.count <= 128 else {
            throw Problem(
                status: 422, code: "INVALID_NAME",
                detail:
                    "\(Spelling.quoted(name)) is no name of a \(kind.rawValue); allowed: up to 128 "
                    + "letters, digits, '-', '_' and '.', a letter or digit first")
        }
        let content: StoredVariables.Content =
            switch kind {
            case .secret: .secret(try values.needed(AdminRoutes.secretValue))
            case .config: .config(try values.needed(AdminRoutes.configValues))
            }
        let (record, isMade) = try await needed().variables.set(
            name, content, in: environment,
            description: values[AdminRoutes.variableDescription], by: call.actor, at: date(),
            isDryRun: isDryRun)
        if isDryRun { return .json(record.json(as: kind).marked(true)) }
        return .json(record.json(as: kind), status: isMade ? 201 : 200)
    }

    func removeVariables(
        _ kind: VariableKind, _ resource: ResourceKind, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        try requireSomewhere(.delete, resource, call)
        let name = call.path("name")
        let record = try await needed().variables.record(kind, name)
        try call.require(.delete, resource, in: record.environment.rawValue)
        let users = try await control().list().filter { view in
            switch kind {
            case .secret: view.spec.secrets.values.contains { $0.name == name }
            case .config: view.spec.configs.contains { $0.name == name }
            }
        }
        guard users.isEmpty else {
            throw VariableError.inUse(kind, name, users: users.map(\.spec.name))
        }
        try await needed().variables.remove(
            kind, name, by: call.actor, at: date(), isDryRun: isDryRun)
        if isDryRun { return .dryRun(record.json(as: kind)) }
        return .noContent
    }
}

extension VariableRecord {
    fileprivate func json(as kind: VariableKind) -> JSONValue {
        .object([
            "kind": .string(kind.rawValue), "name": .string(name),
            "environment": .string(environment.rawValue), "description": .string(description),
            "version": .count(newest?.number ?? 0),
            "versions": .array(
                versions.reversed().map { version in
                    .object([
                        "version": .count(version.number),
                        "fingerprint": .string(version.fingerprint),
                        "created_at": .time(version.createdAt),
                        "created_by": .string(version.createdBy),
                        "values": version.values.map { values in
                            .object(
                                values.sorted { $0.key < $1.key }.map {
                                    .init(name: $0.key, value: .string($0.value))
                                })
                        },
                    ])
                }),
        ])
    }
}
