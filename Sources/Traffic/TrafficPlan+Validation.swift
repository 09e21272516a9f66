// The rules of a plan that no single type can hold: names and routes unique, weights whole,
// numbers in range. The first rule broken is reported with its place.

extension TrafficPlan {
    func validate() throws(TrafficPlanError) {
        try validateGateway()
        var names = Set<String>()
        var owners: [RoutePlan: String] = [:]
        for service in services {
            guard names.insert(service.name).inserted else {
                throw .duplicateService(service.name)
            }
            try validateRevisions(of: service)
            try validateNumbers(of: service)
            for route in service.routes {
                if let other = owners.updateValue(service.name, forKey: route.key) {
                    throw .equalRoutes(service: service.name, other: other, route: route)
                }
            }
        }
    }

    private func validateGateway() throws(TrafficPlanError) {
        var addresses = Set<NetworkAddress>()
        for listener in gateway.listeners {
            guard addresses.insert(listener.address).inserted else {
                throw .duplicateListener(listener.address)
            }
            if let tls = listener.tls, tls.certificates.isEmpty {
                throw .noCertificate(listener.address)
            }
        }
        try require(1...256, gateway.workers, "gateway.workers")
        try require(1...1_000_000, gateway.limits.connections, "gateway.limits.connections")
        try require(
            1024...(256 * 1024), gateway.limits.requestHeadBytes, "gateway.limits.request_head")
        try require(1...1000, gateway.limits.headers, "gateway.limits.headers")
        try require(0...1_000_000, gateway.limits.pending, "gateway.limits.pending")
        try require(
            0...(16 * 1024 * 1024), gateway.limits.replayBytes, "gateway.limits.replay")
    }

    private func validateRevisions(of service: ServicePlan) throws(TrafficPlanError) {
        guard !service.revisions.isEmpty else { throw .noRevision(service: service.name) }
        var names = Set<String>()
        for revision in service.revisions {
            guard names.insert(revision.name).inserted else {
                throw .duplicateRevision(service: service.name, revision: revision.name)
            }
            var addresses = Set<NetworkAddress>()
            let place = "services.\(service.name).revisions.\(revision.name)"
            if revision.wire == .auto, revision.tls == nil {
                throw .outOfRange(
                    field: "\(place).protocol", value: "auto without tls",
                    allowed: "http1, h2; auto asks by ALPN, a part of TLS")
            }
            try require(0...1000, revision.weight, "\(place).weight (thousandths)")
            for endpoint in revision.endpoints {
                guard addresses.insert(endpoint.address).inserted else {
                    throw .duplicateEndpoint(
                        service: service.name, revision: revision.name, address: endpoint.address)
                }
                try require(1...1000, endpoint.weight, "\(place).endpoints.weight")
                if let concurrency = endpoint.concurrency {
                    try require(1...100_000, concurrency, "\(place).endpoints.concurrency")
                }
            }
        }
        let sum = service.revisions.reduce(0) { $0 + $1.weight }
        guard sum == 1000 else {
            throw .weightsDoNotSum(service: service.name, thousandths: sum)
        }
    }

    private func validateNumbers(of service: ServicePlan) throws(TrafficPlanError) {
        let place = "services.\(service.name)"
        try require(1...10, service.retry.attempts, "\(place).retry.attempts")
        try require(0...1000, service.ejection.failures, "\(place).ejection.failures")
        try require(0...1, service.retry.budgetShare, "\(place).retry.budget")
        try require(0...1, service.ejection.maxShare, "\(place).ejection.max")
        if let hedge = service.hedge {
            try require(0...1, hedge.budgetShare, "\(place).hedge.budget")
            if case .quantile(let share) = hedge.delay {
                try require(0.5...0.999, share, "\(place).hedge.after")
            }
        }
        if let health = service.health {
            try require(1...100, health.rise, "\(place).health.rise")
            try require(1...100, health.fall, "\(place).health.fall")
            guard health.interval >= .milliseconds(10), health.timeout >= .milliseconds(10) else {
                throw .outOfRange(
                    field: "\(place).health.interval, timeout",
                    value: "\(health.interval), \(health.timeout)", allowed: "10ms and more")
            }
        }
    }

    private func require<Value: Comparable>(
        _ allowed: ClosedRange<Value>, _ value: Value, _ field: String
    ) throws(TrafficPlanError) {
        guard allowed.contains(value) else {
            throw .outOfRange(
                field: field, value: "\(value)",
                allowed: "\(allowed.lowerBound) to \(allowed.upperBound)")
        }
    }
}

extension RoutePlan {
    /// What makes two routes equal: every key, but not what happens to the path afterwards.
    fileprivate var key: RoutePlan {
        var key = self
        key.strips = false
        return key
    }
}
