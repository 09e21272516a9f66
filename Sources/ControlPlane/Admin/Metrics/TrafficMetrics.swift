// A traffic report as Prometheus families. Requests (what clients saw), revisions and tries (what
// endpoints saw) are families of their own, so that a sum over one never counts a retry twice.
// Histograms stop at the revision: with endpoints they would be too many series.

import Traffic

struct TrafficMetrics {
    let report: TrafficReport
    private(set) var out = PrometheusText()

    /// Upper bounds of the latency buckets, seconds; half a millisecond to a minute.
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    private static let boundNanoseconds = bounds.map { Int64($0 * 1e9) }

    init(_ report: TrafficReport) {
        self.report = report
    }

    mutating func write() {
        writeRequests()
        writeLatencies()
        writeTokens()
        writeEndpoints()
        writeRetries()
        writeConnections()
        writeGateway()
    }

    private mutating func writeRequests() {
        out.begin(
            "penstock_service_requests_total", .counter,
            "Finished requests as clients saw them, by outcome.")
        for service in report.services {
            writeOutcomes(service.measures, [("service", service.name)])
        }
        out.begin(
            "penstock_requests_total", .counter,
            "Finished requests by the revision they were assigned to, by outcome.")
        for (labels, revision) in revisions { writeOutcomes(revision.measures, labels) }
        out.begin(
            "penstock_responses_total", .counter,
            "Finished answers by revision and class of status.")
        for (labels, revision) in revisions {
            for (index, count) in revision.measures.statusClasses.enumerated() {
                out.sample(labels + [("class", "\(index + 1)xx")], count)
            }
        }
        writeGRPC()
        out.begin(
            "penstock_tries_total", .counter,
            "Finished tries by endpoint and outcome; a retried request is several tries.")
        for (labels, endpoint) in endpoints { writeOutcomes(endpoint.measures, labels) }
        out.begin(
            "penstock_received_bytes_total", .counter, "Request bytes read from clients.")
        for (labels, revision) in revisions { out.sample(labels, revision.measures.bytesReceived) }
        out.begin("penstock_sent_bytes_total", .counter, "Response bytes written to clients.")
        for (labels, revision) in revisions { out.sample(labels, revision.measures.bytesSent) }
    }

    /// All statuses where there are calls at all, none elsewhere: most services have no gRPC.
    private mutating func writeGRPC() {
        out.begin(
            "penstock_grpc_requests_total", .counter,
            "Finished gRPC calls as clients saw them, by revision and status.")
        for (labels, revision) in revisions
        where revision.measures.grpcLatencies.contains(where: { !$0.isEmpty }) {
            for (name, latencies) in zip(Self.grpcStatuses, revision.measures.grpcLatencies) {
                out.sample(labels + [("status", name)], latencies.count)
            }
        }
    }

    /// Only statuses that came: each is 19 series, and a service knows few of the 17.
    private mutating func writeGRPCLatencies() {
        out.begin(
            "penstock_grpc_request_duration_seconds", .histogram,
            "Time from the head of a gRPC call read to its end, by status; cancelled ones, too.")
        for (labels, revision) in revisions {
            for (name, latencies) in zip(Self.grpcStatuses, revision.measures.grpcLatencies)
            where !latencies.isEmpty {
                writeHistogram(latencies, labels + [("status", name)])
            }
        }
    }

    /// In the order of their numbers.
    private static let grpcStatuses = [
        "ok", "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found",
        "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
        "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss",
        "unauthenticated",
    ]

    private mutating func writeLatencies() {
        writeHistogram(
            "penstock_request_duration_seconds",
            "Time from the head of a request read to the last byte of its answer written.", \.total)
        writeHistogram(
            "penstock_first_byte_seconds",
            "Time from the head of a request read to the first byte of its answer.", \.firstByte)
        writeHistogram(
            "penstock_upstream_connect_seconds", "Time to open a connection to a replica.",
            \.connect)
        writeGRPCLatencies()
    }

    private mutating func writeTokens() {
        writeHistogram(
            "penstock_first_token_seconds",
            "Time from the head of a request read to the first event of its token stream.",
            \.firstToken)
        writeHistogram(
            "penstock_between_tokens_seconds",
            "Time between two events of a token stream.", \.betweenTokens)
        let counters: [(String, String, KeyPath<Measures, UInt64>)] = [
            ("penstock_streams_total", "Finished token streams.", \.streams),
            ("penstock_stream_events_total", "Events with data in token streams.", \.streamEvents),
            (
                "penstock_prompt_tokens_total", "Prompt tokens that streams reported.",
                \.promptTokens
            ),
            (
                "penstock_completion_tokens_total", "Completion tokens that streams reported.",
                \.completionTokens
            ),
        ]
        for (name, help, value) in counters {
            out.begin(name, .counter, help)
            for (labels, revision) in revisions {
                out.sample(labels, revision.measures[keyPath: value])
            }
        }
    }

    private mutating func writeEndpoints() {
        out.begin(
            "penstock_requests_in_flight", .gauge, "Requests an endpoint is working on now.")
        for (labels, endpoint) in endpoints { out.sample(labels, endpoint.inFlight) }
        out.begin(
            "penstock_endpoint_up", .gauge, "0 when the checks say the endpoint is down, else 1.")
        for (labels, endpoint) in endpoints {
            out.sample(labels, endpoint.health == .down ? 0 : 1)
        }
        out.begin(
            "penstock_endpoint_ejected", .gauge,
            "1 while an endpoint is out of the rotation for answering badly.")
        for (labels, endpoint) in endpoints { out.sample(labels, endpoint.isEjected ? 1 : 0) }
        out.begin(
            "penstock_endpoint_drained", .gauge, "1 while an endpoint takes no new requests.")
        for (labels, endpoint) in endpoints { out.sample(labels, endpoint.isDrained ? 1 : 0) }
        out.begin(
            "penstock_revision_weight_ratio", .gauge, "Share of the service's requests, 0 to 1.")
        for (labels, revision) in revisions {
            out.sample(labels, Double(revision.weight) / 1000)
        }
    }

    private mutating func writeRetries() {
        out.begin("penstock_retries_total", .counter, "Tries beyond the first.")
        for service in report.services { out.sample([("service", service.name)], service.retries) }
        out.begin(
            "penstock_retries_refused_total", .counter, "Retries the budget did not allow.")
        for service in report.services {
            out.sample([("service", service.name)], service.retriesRefused)
        }
        out.begin("penstock_hedges_total", .counter, "Second tries of late requests.")
        for service in report.services { out.sample([("service", service.name)], service.hedges) }
        out.begin("penstock_hedges_won_total", .counter, "Second tries that answered first.")
        for service in report.services {
            out.sample([("service", service.name)], service.hedgesWon)
        }
        out.begin(
            "penstock_service_panicking", .gauge,
            "1 while no endpoint of some revision is usable, so all are tried.")
        for service in report.services {
            out.sample([("service", service.name)], service.isPanicking ? 1 : 0)
        }
    }

    private mutating func writeConnections() {
        let gateway = report.gateway
        out.begin("penstock_connections_accepted_total", .counter, "Client connections accepted.")
        out.sample(gateway.connectionsAccepted)
        out.begin(
            "penstock_connections_refused_total", .counter,
            "Client connections refused at the limit or for want of descriptors.")
        out.sample(gateway.connectionsRefused)
        out.begin("penstock_connections_open", .gauge, "Client connections open now.")
        out.sample(gateway.connectionsOpen)
        out.begin("penstock_upstream_connections_open", .gauge, "Connections to replicas open now.")
        out.sample(gateway.upstreamConnectionsOpen)
        out.begin(
            "penstock_upstream_connections_idle", .gauge,
            "Connections to replicas kept for the next request.")
        out.sample(gateway.upstreamConnectionsIdle)
    }

    private mutating func writeGateway() {
        let gateway = report.gateway
        out.begin(
            "penstock_requests_open", .gauge,
            "Requests whose head was read and whose answer is not finished.")
        out.sample(gateway.requestsOpen)
        out.begin("penstock_requests_pending", .gauge, "Requests waiting for a replica slot.")
        out.sample(gateway.requestsPending)
        out.begin(
            "penstock_refusals_total", .counter,
            "Requests refused before they reached a service, by error code.")
        for (code, count) in gateway.refusals.sorted(by: { $0.key < $1.key }) {
            out.sample([("code", code)], count)
        }
        out.begin(
            "penstock_access_log_dropped_total", .counter,
            "Access log lines dropped because the disk was too slow.")
        out.sample(gateway.accessLogDropped)
        out.begin(
            "penstock_inflight_audit", .gauge,
            "Requests in flight summed over endpoints, minus open tries: anything but 0 is a leak.")
        out.sample(gateway.inFlightAudit)
        out.begin(
            "penstock_plan_generation", .gauge, "Lowest plan generation in force on any worker.")
        out.sample(report.generation)
        out.begin(
            "penstock_loop_stall_seconds", .gauge,
            "Longest time any worker went without returning to its poll.")
        out.sample(Double(gateway.loopStallNanoseconds) / 1e9)
    }

    private mutating func writeOutcomes(_ measures: Measures, _ labels: [(String, String)]) {
        for outcome in Outcome.allCases {
            out.sample(
                labels + [("outcome", outcome.label)], measures.outcomes[Int(outcome.rawValue)])
        }
    }

    private mutating func writeHistogram(
        _ name: String, _ help: String, _ histogram: KeyPath<Measures, LatencyHistogram>
    ) {
        out.begin(name, .histogram, help)
        for (labels, revision) in revisions {
            writeHistogram(revision.measures[keyPath: histogram], labels)
        }
    }

    private mutating func writeHistogram(
        _ latencies: LatencyHistogram, _ labels: [(String, String)]
    ) {
        let counts = latencies.cumulativeCounts(upTo: Self.boundNanoseconds)
        for (bound, count) in zip(Self.bounds, counts) {
            out.sample(labels + [("le", "\(bound)")], "\(count)", suffix: "_bucket")
        }
        out.sample(labels + [("le", "+Inf")], "\(latencies.count)", suffix: "_bucket")
        out.sample(labels, "\(Double(latencies.sum) / 1e9)", suffix: "_sum")
        out.sample(labels, "\(latencies.count)", suffix: "_count")
    }

    private var revisions: [(labels: [(String, String)], revision: RevisionReport)] {
        report.services.flatMap { service in
            service.revisions.map { revision in
                ([("service", service.name), ("revision", revision.name)], revision)
            }
        }
    }

    private var endpoints: [(labels: [(String, String)], endpoint: EndpointReport)] {
        revisions.flatMap { labels, revision in
            revision.endpoints.map { endpoint in
                (labels + [("endpoint", endpoint.address.description)], endpoint)
            }
        }
    }
}
