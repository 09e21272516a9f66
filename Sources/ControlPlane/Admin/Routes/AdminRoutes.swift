// The route table: every path of the admin port, by topic. Nothing else routes, and what is not
// here is not there.

enum AdminRoutes {
    static let all: [AdminEndpoint] =
        probes + services + deployments + deploymentVerbs + replicas + models + variables
        + operations
        + records + access + system

    struct Match: Sendable {
        var endpoint: AdminEndpoint
        var parameters: [String: String]
    }

    /// All rows of a path, one a method.
    ///
    /// - Throws: a 404 when there is none.
    static func find(_ path: RequestPath) throws(Problem) -> [Match] {
        let matches = all.compactMap { endpoint in
            endpoint.path.match(path).map { Match(endpoint: endpoint, parameters: $0) }
        }
        guard !matches.isEmpty else {
            throw Problem(
                status: 404, code: "NOT_FOUND", detail: "there is nothing at '\(path.text)'",
                hint: "GET /openapi.json and docs/admin-api.md list what there is")
        }
        return matches
    }
}
