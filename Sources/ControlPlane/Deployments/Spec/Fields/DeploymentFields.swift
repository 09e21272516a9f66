// The field table: every field a deployment has, once. Decoding, encoding, edits, OpenAPI, the
// command line's `--set` and docs/deployments.md come from here and from nowhere else.

import Notation

package enum DeploymentFields {
    /// In the order in which documents show them.
    package static let all: [Field] =
        identity + model + process + resources + scaling + balancing + strategy + lifecycle
        + watching

    /// Objects that hold fields: their names, and what else they may be called.
    package static let groups: [Group] = [
        Group(name: "resources", explanation: "What one replica gets."),
        Group(
            name: "scaling_config", aliases: ["scaling"],
            explanation: "How many replicas there are."),
        Group(name: "load_balancer", explanation: "How requests are spread over the replicas."),
        Group(name: "strategy", explanation: "How one revision takes over from another."),
        Group(name: "lifecycle", explanation: "How long a replica's beginnings and ends may take."),
        Group(name: "slo", explanation: "What counts as degraded."),
    ]

    package struct Group: Sendable {
        package let name: String
        package var aliases: [String] = []
        package let explanation: String
    }

    /// Words of the contract whose time has not come: refused, never ignored.
    static let reserved: Set = [
        "timeouts", "retry", "headers", "hedge", "upgrades", "alerts", "strategy.auto_promote",
        "strategy.guard_seconds", "strategy.standby_seconds", "strategy.steps",
        "strategy.min_bake_seconds", "strategy.max_bake_seconds",
    ]

    /// By the whole name or its last part, with dashes or underscores.
    package static func isReserved(_ name: String) -> Bool {
        let plain = name.replacing("-", with: "_")
        return reserved.contains { $0 == plain || $0.hasSuffix(".\(plain)") }
    }

    /// Of an answer, not of a request.
    static let readOnly = ["metadata", "status", "id", "spec", "generation", "revision"]

    package static func field(named name: String) -> Field? { byName[name] }

    private static let byName = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    static let identity: [Field] = [
        Field(
            "name", \.name, .slug, .immutable, required: true, example: "iris-prod",
            "Its name, unique over all environments; it answers at `/{name}/` of the gateway."),
        Field(
            "description", \.description, .text(0...Limits.descriptionCharacters, lines: true),
            .live,
            example: "Flowers by their measures.", "What it is for."),
        Field(
            "labels", \.labels,
            .map(
                of: .text(0...Limits.labelCharacters), key: .label, atMost: Limits.labels,
                what: "labels"), .live, example: .object(["team": "botany"]),
            "Words to find it by."),
        Field(
            "owner", \.owner, .text(0...Limits.ownerCharacters), .live,
            example: "botany@example.com", "Whom to ask."),
    ]

    static let model: [Field] = [
        Field(
            "model", \.model, .name, .immutable, required: true, aliases: ["model_id"],
            example: "iris", "The model's id; requests for `/v2/models/{model}/…` lead here."),
        Field(
            "version", \.version, .name, .viaUpdateModel, required: true,
            aliases: ["model_version"], example: "v1", "The model's version."),
        Field(
            "artifact", \.artifact, Form.filePath.optional, .viaUpdateModel,
            example: "/srv/models/iris-v1.json",
            "File or directory for `{artifact}`; it is registered as the model's version."),
        Field(
            "environment", \.environment, .word(DeploymentSpec.Environment.self), .immutable,
            example: "production", "Where it belongs; promotion moves a version on."),
    ]

    static let process: [Field] = [
        Field(
            "command", \.command,
            .list(
                of: .text(0...Limits.argumentCharacters, lines: true), 1...Limits.arguments,
                what: "arguments"),
            .restart, required: true, aliases: ["entrypoint"],
            example: .texts(["penstock-model", "--artifact", "{artifact}", "--listen", "{address}"]
            ),
            "Program and first arguments; `{address}` (or `{port}`) is where it must listen."),
        Field(
            "args", \.arguments,
            .list(
                of: .text(0...Limits.argumentCharacters, lines: true), 0...Limits.arguments,
                what: "arguments"),
            .restart, aliases: ["arguments", "entrypoint_args"],
            example: .texts(["--threads", "2"]),
            "Further arguments, after those of `command`."),
        Field(
            "env", \.variables, .variableMap, .restart, aliases: ["environment_variables"],
            example: .object(["LOG_LEVEL": "info"]),
            "Environment variables."),
        Field(
            "secrets", \.secrets,
            .map(of: .reference, key: .variable, atMost: Limits.variables, what: "secrets"),
            .restart, example: .object(["HF_TOKEN": "hf-token#3"]),
            "Environment variables that hold secrets: each names one; `#` its version, else the "
                + "newest."
        ),
        Field(
            "configs", \.configs, .list(of: .reference, 0...Limits.configs, what: "references"),
            .restart, example: .texts(["eu-defaults#2"]),
            "Sets of variables kept elsewhere; later ones win, `env` wins over all."),
        Field(
            "concurrency", \.concurrency, Form.whole(1...100_000).optional, .live, example: 4,
            "Requests one replica works on at once; further ones wait in the gateway."),
    ]

    static let watching: [Field] = [
        Field(
            "slo.error_rate", \.objective.errorRate, .share, .live, example: .number(0.01),
            "Share of requests that may fail before it counts as degraded."),
        Field(
            "slo.latency_p95_ms", \.objective.latencyP95,
            Form.milliseconds(.milliseconds(1)...Limits.dayOfSeconds).optional, .live, example: 250,
            "The 95th percentile beyond which it is degraded; without it, twice its own past."
        ),
        Field(
            "enable_monitoring", \.isMonitored, .boolean, .live, example: true,
            "Whether it is watched; production needs it."),
        Field(
            "monitoring_override_reason", \.unmonitoredReason,
            Form.text(1...Limits.reasonCharacters).optional, .live,
            example: "load test until Friday",
            "Why a production deployment goes unwatched; only an admin may say so."),
    ]
}
