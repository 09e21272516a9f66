// The service that answers for a deployment: its routes, and how requests are spread. Endpoints are
// the controller's.

package import Traffic

extension DeploymentSpec {
    /// Command and arguments of a replica, places not filled in.
    package var commandLine: [String] { command + arguments }

    /// Whether replicas need the version's files.
    package var usesArtifact: Bool {
        (commandLine + variables.values).contains { $0.contains("{artifact}") }
    }

    /// At `/{name}/`, by header and by model.
    package func service(revisions: [RevisionPlan]) -> ServicePlan {
        var service = ServicePlan(
            name: name,
            routes: [
                RoutePlan(path: "/\(name)", strips: true),
                RoutePlan(header: HeaderMatch(name: "x-penstock-deployment", value: name)),
                RoutePlan(model: model),
            ],
            revisions: loadBalancer.isEnabled ? revisions : revisions.map(\.first))
        service.balancing.algorithm = loadBalancer.algorithm
        if loadBalancer.isSticky { service.balancing.sticky = StickyPlan(key: .cookie("penstock")) }
        service.health = healthCheck
        service.retry.isIdempotent = true
        return service
    }

    private var healthCheck: HealthCheckPlan {
        let path = loadBalancer.healthPath
        var health = HealthCheckPlan(
            probe: path == "/v2/health/ready" ? .openInference : .http(path: path))
        health.interval = loadBalancer.healthInterval
        health.timeout = loadBalancer.healthTimeout
        health.rise = loadBalancer.healthyThreshold
        health.fall = loadBalancer.unhealthyThreshold
        return health
    }
}

extension RevisionPlan {
    /// With the load balancer off one endpoint gets everything; the plan names the next one when
    /// it is gone. Drained ones stay until their last requests have ended.
    fileprivate var first: RevisionPlan {
        let serving = endpoints.first { !$0.isDrained }
        return RevisionPlan(
            name: name, weight: weight,
            endpoints: endpoints.filter { $0.isDrained || $0.address == serving?.address })
    }
}
