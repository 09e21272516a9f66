// What the data plane has seen, whole: monotonic counters and histograms since start, and the
// state of each endpoint now. Readers take differences; nothing is ever reset.

package struct TrafficReport: Sendable {
    /// The lowest plan generation in force on any loop.
    package var generation: UInt64 = 0
    package var gateway = GatewayReport()
    package var services: [ServiceReport] = []

    package init() {}
}

package struct GatewayReport: Sendable {
    package var connectionsAccepted: UInt64 = 0
    /// Refused at the connection limit or with no descriptor left.
    package var connectionsRefused: UInt64 = 0
    package var connectionsOpen = 0
    package var upstreamConnectionsOpen = 0
    package var upstreamConnectionsIdle = 0
    /// Requests whose head has been read and whose answer is not finished.
    package var requestsOpen = 0
    /// Requests waiting for a replica slot.
    package var requestsPending = 0
    /// Requests refused before they reached a service, by `x-penstock-error` code.
    package var refusals: [String: UInt64] = [:]
    package var accessLogDropped: UInt64 = 0
    /// Sum over endpoints of requests in flight, minus open tries: 0 or something leaks.
    package var inFlightAudit = 0
    /// Longest time any loop has gone without returning to its poll, in nanoseconds.
    package var loopStallNanoseconds: Int64 = 0

    package init() {}
}

package struct ServiceReport: Sendable {
    package var name: String
    package var measures = Measures()
    package var revisions: [RevisionReport] = []
    package var retries: UInt64 = 0
    package var retriesRefused: UInt64 = 0
    /// Second tries of late requests, and how many of them answered first.
    package var hedges: UInt64 = 0
    package var hedgesWon: UInt64 = 0
    /// Every usable endpoint of some revision is down, so all are tried.
    package var isPanicking = false

    package init(name: String) {
        self.name = name
    }
}

package struct RevisionReport: Sendable {
    package var name: String
    /// Thousandths, as in force.
    package var weight: Int
    package var measures = Measures()
    package var endpoints: [EndpointReport] = []

    package init(name: String, weight: Int) {
        self.name = name
        self.weight = weight
    }
}

package enum EndpointHealth: String, Sendable, CaseIterable {
    /// No check is configured, or none has answered yet.
    case unknown
    case up
    case down
}

package struct EndpointReport: Sendable {
    package var address: NetworkAddress
    package var measures = Measures()
    package var inFlight = 0
    package var health: EndpointHealth = .unknown
    package var isDrained = false
    package var isEjected = false
    package var weight = 1
    /// Why the last check or try failed, in words; empty when the last one was good.
    package var lastError = ""

    package init(address: NetworkAddress) {
        self.address = address
    }
}

/// Whose fault a request's end was.
package enum Outcome: UInt8, Sendable, CaseIterable {
    /// 1xx, 2xx, 3xx of a replica.
    case success
    /// 4xx of a replica, or a request the gateway refused as malformed.
    case client
    /// 5xx of a replica.
    case model
    case timeout
    /// The gateway's own 503 and 429.
    case overload
    /// Refused, reset or cut connection to a replica.
    case transport
    /// The client left before the answer was complete.
    case cancelled

    package var label: String {
        switch self {
        case .success: "success"
        case .client: "client"
        case .model: "model"
        case .timeout: "timeout"
        case .overload: "overload"
        case .transport: "transport"
        case .cancelled: "cancelled"
        }
    }
}

/// Counters and latencies of one endpoint, or merged over several.
package struct Measures: Sendable {
    /// Finished tries (endpoint) or requests (service), by outcome; index is `Outcome.rawValue`.
    package var outcomes = [UInt64](repeating: 0, count: Outcome.allCases.count)
    /// Finished answers by status class; index 0 is 1xx.
    package var statusClasses = [UInt64](repeating: 0, count: 5)
    /// Finished gRPC calls by the number of their status: head read to the end, nanoseconds. Unlike
    /// `total` it has those that were cancelled, so its counts are all calls.
    package var grpcLatencies = Measures.noCalls
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// Head read to last byte written, nanoseconds.
    package var total = LatencyHistogram()
    /// Head read to first byte of the answer, nanoseconds.
    package var firstByte = LatencyHistogram()
    /// Time to open a connection to the replica, nanoseconds.
    package var connect = LatencyHistogram()
    /// Of token streams: head read to first event with data, nanoseconds.
    package var firstToken = LatencyHistogram()
    /// Between one event with data and the next, nanoseconds.
    package var betweenTokens = LatencyHistogram()
    /// Finished token streams, their events, and what their `usage` said.
    package var streams: UInt64 = 0
    package var streamEvents: UInt64 = 0
    package var promptTokens: UInt64 = 0
    package var completionTokens: UInt64 = 0

    package init() {}

    /// Shared by all that have none: most services know no gRPC.
    private static let noCalls = [LatencyHistogram](
        repeating: LatencyHistogram(), count: Limits.grpcStatuses)

    package var requests: UInt64 { outcomes.reduce(0, +) }

    package mutating func merge(_ other: Measures) {
        for index in outcomes.indices { outcomes[index] += other.outcomes[index] }
        for index in statusClasses.indices { statusClasses[index] += other.statusClasses[index] }
        for index in grpcLatencies.indices where !other.grpcLatencies[index].isEmpty {
            grpcLatencies[index].merge(other.grpcLatencies[index])
        }
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        total.merge(other.total)
        firstToken.merge(other.firstToken)
        betweenTokens.merge(other.betweenTokens)
        streams += other.streams
        streamEvents += other.streamEvents
        promptTokens += other.promptTokens
        completionTokens += other.completionTokens
        firstByte.merge(other.firstByte)
        connect.merge(other.connect)
    }
}
