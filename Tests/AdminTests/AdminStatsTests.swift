// Live figures: windows, rates, quantiles, and a memory that does not grow.

import Admin
import Testing
import Traffic

@Suite struct AdminStatsTests {
    /// `count` requests to stable's first endpoint, each of `milliseconds`.
    static func report(count: UInt64, milliseconds: Int64, failed: UInt64 = 0) -> TrafficReport {
        var measures = Measures()
        measures.outcomes[Int(Outcome.success.rawValue)] = count - failed
        measures.outcomes[Int(Outcome.model.rawValue)] = failed
        measures.total.record(nanoseconds: milliseconds * 1_000_000, count: count)
        var endpoint = EndpointReport(address: .tcp(host: "127.0.0.1", port: 9001))
        endpoint.measures = measures
        var revision = RevisionReport(name: "stable", weight: 950)
        revision.measures = measures
        revision.endpoints = [endpoint]
        var service = ServiceReport(name: "echo")
        service.measures = measures
        service.revisions = [revision]
        var report = TrafficReport()
        report.services = [service]
        return report
    }

    static func seconds(_ count: Int64) -> Instant {
        Instant(nanoseconds: count * 1_000_000_000)
    }

    @Test func `rates and quantiles are those of the window`() async throws {
        let port = try await AdminPort(now: Self.seconds(100))
        await port.stats.take(Self.report(count: 400, milliseconds: 1), at: Self.seconds(45))
        var now = Self.report(count: 400, milliseconds: 1)
        now.services[0].measures.merge(
            Self.report(count: 1100, milliseconds: 20, failed: 110).services[0].measures)
        port.gate.show(now)
        let stats = try await port.send("GET", "/v1/services/echo/stats").object()
        let minute = try #require(stats["last_60s"] as? [String: Any])
        #expect(minute["seconds"] as? Double == 55)
        #expect(minute["requests"] as? Int == 1100)
        #expect(minute["requests_per_second"] as? Double == 20)
        #expect(minute["failed_percent"] as? Double == 10)
        let median = try #require(minute["p50_ms"] as? Double)
        #expect(abs(median - 20) <= 0.2)
        let start = try #require(stats["since_start"] as? [String: Any])
        #expect(start["requests"] as? Int == 1500)
    }

    @Test func `every endpoint has figures of its own`() async throws {
        let port = try await AdminPort(now: Self.seconds(10))
        port.gate.show(Self.report(count: 5, milliseconds: 3))
        let stats = try await port.send("GET", "/v1/services/echo/stats").object()
        let revisions = try #require(stats["revisions"] as? [[String: Any]])
        #expect(revisions.map { $0["name"] as? String } == ["stable", "canary"])
        let endpoint = try #require((revisions[0]["endpoints"] as? [[String: Any]])?.first)
        #expect(endpoint["address"] as? String == "127.0.0.1:9001")
        let start = try #require(endpoint["since_start"] as? [String: Any])
        #expect(start["requests"] as? Int == 5)
        #expect(revisions[1]["last_10s"] != nil)
    }

    @Test func `without requests there are no quantiles`() async throws {
        let stats = try await (try AdminPort()).send("GET", "/v1/services/echo/stats").object()
        let window = try #require(stats["last_10s"] as? [String: Any])
        #expect(window["p99_ms"] is Double == false)
        #expect(window["requests_per_second"] as? Double == 0)
    }

    @Test func `the memory of an hour is no larger than that of a minute`() async {
        let recorder = StatsRecorder()
        for second in 0..<3600 {
            await recorder.take(TrafficReport(), at: Self.seconds(Int64(second)))
        }
        #expect(await recorder.count <= 24)
    }

    @Test func `a service shows health, load and latency of each endpoint`() async throws {
        let port = try await AdminPort(now: Self.seconds(10))
        var report = Self.report(count: 5, milliseconds: 3)
        report.services[0].revisions[0].endpoints[0].health = .down
        report.services[0].revisions[0].endpoints[0].inFlight = 2
        report.services[0].revisions[0].endpoints[0].lastError = "connection refused"
        port.gate.show(report)
        let service = try await port.send("GET", "/v1/services/echo").object()
        #expect(service["in_flight"] as? Int == 2)
        #expect(service["endpoints_total"] as? Int == 3)
        #expect(service["endpoints_down"] as? Int == 1)
        let revisions = try #require(service["revisions"] as? [[String: Any]])
        let endpoints = try #require(revisions[0]["endpoints"] as? [[String: Any]])
        #expect(endpoints[0]["health"] as? String == "down")
        #expect(endpoints[0]["last_error"] as? String == "connection refused")
        #expect((endpoints[0]["latency_ms"] as? [String: Any])?["p50"] is Double)
        #expect(endpoints[1]["address"] as? String == "unix:/run/a.sock")
        #expect(endpoints[1]["health"] as? String == "unknown")
    }
}
