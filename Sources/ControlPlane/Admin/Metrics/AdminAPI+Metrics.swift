// `/metrics`: the report, the process and the build in one scrape.

import Deployments
import Traffic

extension AdminAPI {
    func metrics() async -> AdminResponse {
        var traffic = TrafficMetrics(await director.report())
        traffic.write()
        var out = traffic.out
        out.begin("penstock_build_info", .gauge, "1, with the version as a label.")
        out.sample([("version", version)], 1)
        ProcessMetrics.current().write(to: &out)
        return AdminResponse(
            status: 200,
            headers: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
            body: Array(out.text.utf8))
    }
}
