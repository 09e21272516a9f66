// Rows about the process itself and about services: the ones that were there first.

import Notation
import State

extension AdminRoutes {
    static let probes: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/livez", "live", "system", .open, "Whether the process answers.",
            answers: [200: .json("Liveness", "It does.")]
        ) { _, _ in .json(.object(["status": "alive"])) },
        AdminEndpoint(
            .get, "/readyz", "ready", "system", .open, "Whether the gateway serves.",
            answers: [
                200: .json("Readiness", "A plan is in force, and nothing is missing."),
                503: .json("Readiness", "Something is missing; `reasons` says what."),
            ]
        ) { api, _ in await api.ready() },
        AdminEndpoint(
            .get, "/metrics", "metrics", "system", .openOnLoopback, "Figures for Prometheus.",
            answers: [
                200: .init(
                    explanation: "Text format 0.0.4.", schema: "Text", mediaType: "text/plain")
            ]
        ) { api, _ in await api.metrics() },
    ]

    static let services: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/services", "listServices", "services",
            .needs(.read, .service, .handler), "The services that the token may see, in short.",
            answers: [200: .json("ServiceList", "All of them.")]
        ) { api, call in try await api.services(call) },
        AdminEndpoint(
            .get, "/v1/services/{name}", "getService", "services",
            .needs(.read, .service, .service), "One service with its revisions and endpoints.",
            answers: [200: .json("Service", "It.")]
        ) { api, call in try await api.service(call.path("name")) },
        AdminEndpoint(
            .get, "/v1/services/{name}/stats", "getServiceStats", "services",
            .needs(.read, .metric, .service), "Rates and latencies of the last seconds.",
            answers: [200: .json("ServiceStats", "Over 10 s, 60 s and since the start.")]
        ) { api, call in try await api.liveStats(of: call.path("name")) },
        AdminEndpoint(
            .get, "/v1/services/{name}/traffic", "getTraffic", "services",
            .needs(.read, .service, .service), "The split between revisions.",
            answers: [200: .json("Traffic", "It, and where it comes from.")]
        ) { api, call in try await api.traffic(of: call.path("name")) },
        AdminEndpoint(
            .put, "/v1/services/{name}/traffic", "setTraffic", "services",
            .needs(.shift, .service, .service),
            "Replaces the whole split; answers when every worker has it.",
            body: .schema("Split"), answers: [200: .json("Traffic", "In force.")]
        ) { api, call, isDryRun in
            try await api.putTraffic(of: call.path("name"), call, isDryRun: isDryRun)
        },
        AdminEndpoint(
            .delete, "/v1/services/{name}/traffic", "clearTraffic", "services",
            .needs(.shift, .service, .service), "Back to the split that is written.",
            answers: [200: .json("Traffic", "In force.")]
        ) { api, call, isDryRun in
            try await api.deleteTraffic(of: call.path("name"), call, isDryRun: isDryRun)
        },
        AdminEndpoint(
            .post, "/v1/services/{name}/endpoints/{address*}:drain", "drainEndpoint", "services",
            .needs(.drain, .service, .service),
            "No new requests for an endpoint; those under way end well.",
            answers: [200: .json("Drain", "In force.")]
        ) { api, call, isDryRun in
            try await api.drain(
                call.path("name"), call.path("address"), true, call, isDryRun: isDryRun)
        },
        AdminEndpoint(
            .post, "/v1/services/{name}/endpoints/{address*}:undrain", "undrainEndpoint",
            "services", .needs(.drain, .service, .service), "Back into the rotation.",
            answers: [200: .json("Drain", "In force.")]
        ) { api, call, isDryRun in
            try await api.drain(
                call.path("name"), call.path("address"), false, call, isDryRun: isDryRun)
        },
    ]
}
