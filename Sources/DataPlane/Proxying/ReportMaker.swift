// Adds up what the loops have counted. Runs on the control plane's threads and only reads.

import Balancing
import HTTPWire
import Reactor
import Synchronization
import Traffic

struct ReportMaker {
    let plan: CompiledPlan
    let workers: [WorkerShared]
    let counters: SharedCounters

    func make(now: Int64) -> TrafficReport {
        var report = TrafficReport()
        report.generation = workers.map { $0.generation.load(ordering: .acquiring) }.min() ?? 0
        report.services = plan.services.map { service($0, now) }
        report.gateway = gateway(now)
        return report
    }

    private func sum(_ counter: LoopCounter) -> UInt64 { counters.sum(counter.rawValue) }
    private func gauge(_ counter: LoopCounter) -> Int { counters.gauge(counter.rawValue) }

    private func gateway(_ now: Int64) -> GatewayReport {
        var gateway = GatewayReport()
        gateway.connectionsAccepted = sum(.accepted)
        gateway.connectionsRefused = sum(.refused)
        gateway.connectionsOpen = gauge(.openClients)
        gateway.upstreamConnectionsOpen = gauge(.openUpstreams)
        gateway.upstreamConnectionsIdle = gauge(.idleUpstreams)
        gateway.requestsOpen = gauge(.openRequests)
        gateway.requestsPending = gauge(.pendingRequests)
        for code in RefusalCode.allCases where code != .none {
            let count = counters.sum(LoopCounter.refusals.rawValue + Int(code.rawValue))
            if count > 0 { gateway.refusals[String(describing: code.code)] = count }
        }
        for error in WireError.allCases {
            let count = counters.sum(LoopCounter.malformed + Int(error.rawValue))
            if count > 0 { gateway.refusals[String(describing: error.code)] = count }
        }
        let inFlight = plan.services.reduce(0) { sum, service in
            sum + service.endpoints.joined().reduce(0) { $0 + $1.state.handle.inFlight }
        }
        gateway.inFlightAudit = inFlight - gauge(.openTries)
        gateway.loopStallNanoseconds = workers.map { $0.stall(now: now) }.max() ?? 0
        return gateway
    }

    private func service(_ service: CompiledService, _ now: Int64) -> ServiceReport {
        var report = ServiceReport(name: service.plan.name)
        report.measures = service.record.meter.measures()
        report.retries = service.record.counters.sum(ServiceRecord.Cell.retries.rawValue)
        report.retriesRefused = service.record.counters.sum(
            ServiceRecord.Cell.retriesRefused.rawValue)
        report.hedges = service.record.counters.sum(ServiceRecord.Cell.hedges.rawValue)
        report.hedgesWon = service.record.counters.sum(ServiceRecord.Cell.hedgesWon.rawValue)
        for (index, plan) in service.plan.revisions.enumerated() {
            var revision = RevisionReport(name: plan.name, weight: plan.weight)
            revision.measures = service.revisions[index].meter.measures()
            report.measures.merge(revision.measures)
            revision.endpoints = zip(plan.endpoints, service.endpoints[index]).map {
                endpoint($0, $1, now)
            }
            report.revisions.append(revision)
            if service.table.isPanicking(revision: index, now: now) { report.isPanicking = true }
        }
        return report
    }

    private func endpoint(
        _ plan: EndpointPlan, _ compiled: CompiledEndpoint, _ now: Int64
    ) -> EndpointReport {
        let handle = compiled.state.handle
        var report = EndpointReport(address: plan.address)
        report.measures = compiled.meter.measures()
        report.inFlight = handle.inFlight
        report.health = handle.health
        report.isDrained = plan.isDrained
        report.isEjected = handle.isEjected(now: now)
        report.weight = plan.weight
        report.lastError = lastError(compiled)
        return report
    }

    private func lastError(_ endpoint: CompiledEndpoint) -> String {
        let probe = endpoint.probeError.withLock { $0 }
        if !probe.isEmpty { return "check: \(probe)" }
        let code = RefusalCode(rawValue: endpoint.state.handle.lastError) ?? .none
        return code == .none ? "" : String(describing: code.detail)
    }
}
