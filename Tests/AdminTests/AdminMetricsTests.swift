// `/metrics`: well formed whatever the names, and right in its figures, for traffic as for
// deployments.

import Admin
import Testing
import Traffic

@Suite struct AdminMetricsTests {
    func scrape(_ report: TrafficReport) async throws -> PrometheusReader {
        let port = try await AdminPort()
        port.gate.show(report)
        let response = await port.send("GET", "/metrics", token: nil)
        let type = "text/plain; version=0.0.4; charset=utf-8"
        #expect(response.headers["content-type"] == type)
        return try PrometheusReader(response.text)
    }

    @Test func `an idle gateway has metrics`() async throws {
        let metrics = try await scrape(TrafficReport())
        #expect(metrics.value("penstock_connections_open") == 0)
        #expect(metrics.value("penstock_inflight_audit") == 0)
        #expect(metrics.value("penstock_build_info", ["version": "1.2.3"]) == 1)
        #expect(try #require(metrics.value("process_resident_memory_bytes")) > 1_000_000)
        #expect(try #require(metrics.value("process_open_fds")) > 2)
        #expect(try #require(metrics.value("process_start_time_seconds")) > 1_000_000_000)
    }

    @Test func `requests, tries and endpoints are counted apart`() async throws {
        var report = AdminStatsTests.report(count: 10, milliseconds: 3, failed: 2)
        report.services[0].revisions[0].endpoints[0].inFlight = 4
        report.services[0].revisions[0].endpoints[0].health = .down
        report.services[0].retries = 7
        let metrics = try await scrape(report)
        let revision = ["service": "echo", "revision": "stable"]
        let endpoint = revision.merging(["endpoint": "127.0.0.1:9001"]) { $1 }
        #expect(
            metrics.value(
                "penstock_requests_total", revision.merging(["outcome": "success"]) { $1 }) == 8)
        #expect(
            metrics.value(
                "penstock_tries_total", endpoint.merging(["outcome": "model"]) { $1 }) == 2)
        #expect(metrics.value("penstock_requests_in_flight", endpoint) == 4)
        #expect(metrics.value("penstock_endpoint_up", endpoint) == 0)
        #expect(metrics.value("penstock_retries_total", ["service": "echo"]) == 7)
        #expect(metrics.kinds["penstock_requests_total"] == "counter")
    }

    @Test func `calls of gRPC are counted by status where there are any`() async throws {
        var report = AdminStatsTests.report(count: 10, milliseconds: 3, failed: 2)
        let none = try await scrape(report)
        let revision = ["service": "echo", "revision": "stable"]
        let lost = revision.merging(["status": "unavailable"]) { $1 }
        #expect(none.value("penstock_grpc_requests_total", lost) == nil)
        report.services[0].revisions[0].measures.grpcLatencies[14].record(
            nanoseconds: 3_000_000, count: 3)
        let metrics = try await scrape(report)
        let fine = revision.merging(["status": "ok"]) { $1 }
        #expect(metrics.value("penstock_grpc_requests_total", lost) == 3)
        #expect(metrics.value("penstock_grpc_requests_total", fine) == 0)
    }

    @Test func `calls of gRPC have a histogram for each status that came`() async throws {
        var report = AdminStatsTests.report(count: 10, milliseconds: 3)
        let name = "penstock_grpc_request_duration_seconds"
        let none = try await scrape(report)
        #expect(none.kinds[name] == "histogram")
        #expect(none.samples.allSatisfy { !$0.name.hasPrefix(name) })
        for (status, milliseconds) in [(0, 3), (0, 30), (4, 700)] {
            report.services[0].revisions[0].measures.grpcLatencies[status].record(
                nanoseconds: Int64(milliseconds) * 1_000_000)
        }
        let metrics = try await scrape(report)
        let labels = ["service": "echo", "revision": "stable"]
        let fine = labels.merging(["status": "ok"]) { $1 }
        let late = labels.merging(["status": "deadline_exceeded"]) { $1 }
        #expect(metrics.value(name + "_bucket", fine.merging(["le": "0.005"]) { $1 }) == 1)
        #expect(metrics.value(name + "_bucket", fine.merging(["le": "+Inf"]) { $1 }) == 2)
        #expect(metrics.value(name + "_count", fine) == 2)
        #expect(abs(try #require(metrics.value(name + "_sum", fine)) - 0.033) < 1e-9)
        #expect(metrics.value(name + "_bucket", late.merging(["le": "0.5"]) { $1 }) == 0)
        #expect(metrics.value(name + "_bucket", late.merging(["le": "1.0"]) { $1 }) == 1)
        #expect(metrics.samples.filter { $0.name == name + "_count" }.count == 2)
    }

    @Test func `histograms are cumulative and end in all`() async throws {
        var report = AdminStatsTests.report(count: 10, milliseconds: 3)
        report.services[0].revisions[0].measures.total.record(
            nanoseconds: 90_000_000_000, count: 2)
        let metrics = try await scrape(report)
        let labels = ["service": "echo", "revision": "stable"]
        let name = "penstock_request_duration_seconds"
        #expect(metrics.kinds[name] == "histogram")
        let buckets = metrics.samples.filter { $0.name == name + "_bucket" }
        #expect(buckets.map(\.value) == buckets.map(\.value).sorted())
        #expect(
            metrics.value(name + "_bucket", labels.merging(["le": "0.0025"]) { $1 }) == 0)
        #expect(metrics.value(name + "_bucket", labels.merging(["le": "0.005"]) { $1 }) == 10)
        #expect(metrics.value(name + "_bucket", labels.merging(["le": "+Inf"]) { $1 }) == 12)
        #expect(metrics.value(name + "_count", labels) == 12)
        #expect(abs(try #require(metrics.value(name + "_sum", labels)) - 180.03) < 1e-6)
    }

    @Test func `deployments, replicas and the state are told of`() async throws {
        let port = try await ControlPort()
        let empty = try PrometheusReader(await port.send("GET", "/metrics").text)
        #expect(empty.value("penstock_state_writable") == 1)
        #expect(empty.samples.allSatisfy { !$0.name.hasPrefix("penstock_deployment") })
        #expect(await port.send("POST", "/v1/deployments", ControlPort.least).status < 300)
        let metrics = try PrometheusReader(await port.send("GET", "/metrics").text)
        let wanted = [
            "deployment": "iris", "model": "iris", "version": "v1", "environment": "staging",
            "revision": "1",
        ]
        #expect(metrics.value("penstock_deployment_info", wanted) == 1)
        let words = metrics.samples.filter { $0.name == "penstock_deployment_status" }
        #expect(words.count == 8 && words.map(\.value).reduce(0, +) == 1)
        let first = ["deployment": "iris", "replica": "iris-0"]
        #expect(metrics.value("penstock_replica_cpu_cores", first) == 0.25)
        #expect(metrics.value("penstock_replica_memory_bytes", first) == 1_048_576)
        #expect(metrics.kinds["penstock_replica_restarts_total"] == "counter")
        #expect(
            metrics.value(
                "penstock_deployment_replicas", ["deployment": "iris", "state": "desired"]) != nil)
    }

    @Test func `names cannot break the format`() async throws {
        var report = TrafficReport()
        var service = ServiceReport(name: "a\"b\\c\nd{}")
        service.retries = 1
        report.services = [service]
        report.gateway.refusals = ["no_route": 3, "bad_request_line": 1]
        let metrics = try await scrape(report)
        #expect(metrics.value("penstock_retries_total", ["service": "a\"b\\c\nd{}"]) == 1)
        #expect(metrics.value("penstock_refusals_total", ["code": "no_route"]) == 3)
    }

    @Test(arguments: ["a 1", "# HELP a x\n# TYPE a gauge\nb 1\n", "# TYPE a gauge\n"])
    func `the reader of these tests is strict`(text: String) {
        #expect(throws: PrometheusReader.Malformed.self) { try PrometheusReader(text) }
    }
}
