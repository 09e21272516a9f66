// Models and their versions: listed, registered, verified, deployed. The registry does it; what a
// version suggests for its deployments is checked here, when it comes.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    func listModels(_ call: AdminCall) async throws -> AdminResponse {
        let listing = try Listing(call.query, pager, question: "models", of: "Model")
        let versions = try await needed().models.versions(of: nil)
        let models = Dictionary(grouping: versions, by: \.model).map { (name: $0, versions: $1) }
        return .json(
            listing.page(models, as: "models", id: { $0.name }) {
                Self.model($0.name, $0.versions)
            })
    }

    func getModel(_ call: AdminCall) async throws -> AdminResponse {
        .json(Self.model(call.path("model"), try await versions(of: call.path("model"))))
    }

    func listVersions(_ call: AdminCall) async throws -> AdminResponse {
        let model = call.path("model")
        let versions = try await versions(of: model)
        let listing = try Listing(
            call.query, pager, question: "versions of \(model)", of: "Version")
        let places = Dictionary(
            versions.enumerated().map { ($1.version, $0) }, uniquingKeysWith: { first, _ in first })
        return .json(
            listing.page(versions, as: "versions", id: { Self.rank(places[$0.version] ?? 0) }) {
                $0.json
            })
    }

    func registerVersion(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let values = try call.values(AdminRoutes.registration)
        let model = call.path("model")
        guard Form<String>.isName(model), model.utf8.count <= 128 else {
            throw Problem(
                status: 422, code: "INVALID_NAME",
                detail:
                    "\(Spelling.quoted(model)) is no name of a model; allowed: letters, digits, "
                    + "'-', '_' and '.', a letter or digit first")
        }
        var draft = ModelVersionDraft(
            model: model, version: try values.needed(AdminRoutes.versionWord),
            artifact: values[AdminRoutes.artifactPath],
            sha256: values[AdminRoutes.expectedDigest])
        draft.description = values[AdminRoutes.description] ?? ""
        draft.defaults = values[AdminRoutes.defaults] ?? draft.defaults
        try VersionDefaults.check(draft.defaults)
        let moment = Moment.rounded(date())
        let version = try await needed().models.register(
            draft, by: call.actor, at: moment, isDryRun: isDryRun)
        if isDryRun { return .json(version.json.marked(true)) }
        // What was there before keeps the time of its registration.
        return .json(version.json, status: version.registeredAt == moment ? 201 : 200)
    }

    func removeVersion(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let (model, version) = (call.path("model"), call.path("version"))
        let users = try await control().list().filter {
            $0.spec.model == model && $0.spec.version == version
        }
        guard users.isEmpty else {
            throw ModelError.inUse(
                model: model, version: version, deployments: users.map(\.spec.name))
        }
        let there = try await needed().models.version(version, of: model)
        if isDryRun { return .dryRun(there.json) }
        try await needed().models.remove(version, of: model, by: call.actor, at: date())
        return .noContent
    }

    func verifyVersion(_ call: AdminCall) async throws -> AdminResponse {
        let models = try needed().models
        let version = try await models.version(call.path("version"), of: call.path("model"))
        if let artifact = version.artifact { try await models.verify(artifact) }
        return .json(
            .object([
                "verified": true, "sha256": version.artifact.map { .string($0.sha256) },
                "at": .time(date()),
            ]))
    }

    /// Creates the deployment, or changes the version of the one there is.
    func deployVersion(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let values = try call.values(AdminRoutes.deployment)
        let environment = try values.needed(AdminRoutes.environmentWord)
        try call.require(.deploy, .deployment, in: environment.rawValue)
        let model = call.path("model")
        let version = try await needed().models.version(call.path("version"), of: model)
        let name = values[AdminRoutes.deploymentName] ?? Self.slug(model, environment)
        let reason = values[DeploymentVerb.reason]
        let settings = values[AdminRoutes.settings]
        if let there = try await existing(name) {
            guard there.spec.model == model, there.spec.environment == environment else {
                throw ControlError.nameTaken(name)
            }
            guard settings == nil else {
                throw Problem(
                    status: 409, code: "NAME_TAKEN",
                    detail: "'\(name)' is there already; its fields change by PATCH",
                    hint: "leave 'deployment' out to change the version alone")
            }
            let change = DeploymentChange.updateModel(
                version: version.version, artifact: nil, strategy: nil)
            return try await self.change(
                change, of: name, call, isDryRun: isDryRun, reason: reason)
        }
        let own = JSONValue.object([
            "name": .string(name), "model": .string(model),
            "version": .string(version.version), "environment": .string(environment.rawValue),
        ])
        let document = version.defaults.patched(with: settings ?? .object([JSONValue.Member]()))
        let spec = try SpecReader().read(document.patched(with: own))
        return try await change(
            .create(spec), of: name, call, isDryRun: isDryRun, reason: reason)
    }

    /// Nil when there is no deployment of the name.
    ///
    /// Not inlined: see `change(_:of:_:isDryRun:reason:)`.
    @inline(never)
    func existing(_ name: String) async throws -> DeploymentView? {
        do {
            return try await control().view(name)
        } catch ControlError.notFound {
            return nil
        }
    }

    private func versions(of model: String) async throws -> [ModelVersion] {
        let versions = try await needed().models.versions(of: model)
        guard !versions.isEmpty else { throw ModelError.unknownModel(model) }
        return versions
    }

    private static func model(_ name: String, _ versions: [ModelVersion]) -> JSONValue {
        .object([
            "kind": "model", "name": .string(name), "latest": .optional(versions.first?.version),
            "versions": .texts(versions.map(\.version)),
        ])
    }

    /// Sorts by place in a list that is in order already.
    private static func rank(_ place: Int) -> String {
        let text = String(place)
        return String(repeating: "0", count: max(0, 10 - text.count)) + text
    }

    /// `{model}-{environment}`, in the letters a name may have.
    private static func slug(
        _ model: String, _ environment: DeploymentSpec.Environment
    ) -> String {
        let plain = model.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }
        return String(plain.prefix(50)) + "-\(environment.rawValue)"
    }
}

/// The fields a version suggests, checked when it is registered rather than when it is needed.
enum VersionDefaults {
    private static let identity = ["name", "model", "version", "environment"]

    static func check(_ defaults: JSONValue) throws(Problem) {
        if let member = defaults.members?.first(where: {
            identity.contains(Spelling.snakeCase($0.name))
        }) {
            throw refused(
                SpecProblem(
                    pointer: JSONPointer(["defaults", member.name]), code: .readOnly,
                    message: "a version does not say what its deployments are called"))
        }
        let least = JSONValue.object([
            "name": "a", "model": "a", "version": "a", "command": .texts(["a", "{address}"]),
            "instance_type": defaults["resources"] == nil ? "cpu.small" : nil,
        ])
        do {
            _ = try SpecReader().read(least.patched(with: defaults))
        } catch {
            throw Problem(
                SpecProblems(
                    error.problems.map { problem in
                        var problem = problem
                        problem.pointer = "/defaults" + problem.pointer
                        return problem
                    }), code: "INVALID_BODY")
        }
    }

    private static func refused(_ problem: SpecProblem) -> Problem {
        Problem(SpecProblems([problem]), code: "INVALID_BODY")
    }
}

extension ModelVersion {
    var json: JSONValue {
        .object([
            "kind": "model_version", "model": .string(model), "version": .string(version),
            "description": .string(description), "artifact": artifact.map(\.json),
            "defaults": defaults, "registered_at": .time(registeredAt),
            "registered_by": .string(registeredBy),
        ])
    }
}
