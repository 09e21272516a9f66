// A deployment: replicas of one model that Penstock itself runs. It implies a service, because a
// replica nobody can reach is of no use.

package import Traffic

package struct DeploymentSettings: Sendable, Equatable {
    package var name: String
    package var model: String
    package var version: String
    package var environment: String?
    /// Program and arguments, with `{artifact}` and `{address}` still in them.
    package var command: [String]
    /// Absolute; nil when the command needs none.
    package var artifact: String?
    package var replicas: Int
    package var env: [String: String] = [:]
    package var balancing: BalancingPlan
    package var healthPath = "/v2/health/ready"
    package var healthInterval = Duration.seconds(5)
    /// Requests one replica works on at once; nil is unknown.
    package var concurrency: Int?

    /// The service that answers for the deployment, at `/{name}/`, by header and by model.
    package func service(endpoints: [EndpointPlan]) -> ServicePlan {
        var service = ServicePlan(
            name: name,
            routes: [
                RoutePlan(path: "/\(name)", strips: true),
                RoutePlan(header: HeaderMatch(name: "x-penstock-deployment", value: name)),
                RoutePlan(model: model),
            ],
            revisions: [RevisionPlan(name: version, weight: 1000, endpoints: endpoints)])
        service.balancing = balancing
        var health = HealthCheckPlan(probe: probe)
        health.interval = healthInterval
        service.health = health
        service.retry.isIdempotent = true
        return service
    }

    private var probe: HealthCheckPlan.Probe {
        healthPath == "/v2/health/ready" ? .openInference : .http(path: healthPath)
    }
}
