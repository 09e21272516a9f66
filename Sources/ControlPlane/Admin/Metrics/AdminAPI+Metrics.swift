// `/metrics`: the report, deployments, the state, the process and the build in one scrape.

import Deployments
import State
import Traffic

extension AdminAPI {
    func metrics() async -> AdminResponse {
        var traffic = TrafficMetrics(await director.report())
        traffic.write()
        var out = await writeMemory(to: traffic.out)
        out.begin("penstock_build_info", .gauge, "1, with the version as a label.")
        out.sample([("version", version)], 1)
        ProcessMetrics.current().write(to: &out)
        return AdminResponse(
            status: 200,
            headers: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
            body: Array(out.text.utf8))
    }

    /// What cannot be read is left out: a scrape must tell of traffic also when the state is sick.
    private func writeMemory(to out: PrometheusText) async -> PrometheusText {
        guard let memory else { return out }
        var metrics = DeploymentMetrics(out: out)
        // The controller answers from memory; should it not, there is nothing to say of it.
        if let control = memory.control, let views = try? await control.list() {
            var replicas: [ReplicaView] = []
            for view in views {
                // Deleted meanwhile: it has none.
                replicas += (try? await control.replicas(of: view.spec.name)) ?? []
            }
            metrics.write(views, replicas)
        }
        // Its own families say so when it is sick; without an answer there is nothing to say.
        if let report = try? await memory.store.report() { metrics.write(report) }
        return metrics.out
    }
}
