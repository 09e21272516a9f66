// The gateway's own answers: one case per thing that can go wrong, with whose fault it is, the
// status, the `x-penstock-error` code and a sentence for the person who reads it.

package import Traffic

package enum RefusalCode: UInt8, CaseIterable, Sendable {
    case none
    case malformedRequest
    case noRoute
    case modelUnreadable
    case bodyTooLarge
    case requestTimeout
    case proxyHeader
    case noReplica
    case overloaded
    case draining
    case connectionLimit
    case descriptors
    case unreachable
    case connectTimeout
    case reset
    case malformedAnswer
    case firstByteTimeout
    case streamTimeout
    case totalTimeout
    case clientGone
    case slowClient
    case plainHTTP
    case handshake
    case upstreamTLS
    case deadline
    case cannotUpgrade
    case protocolNotAllowed

    /// HTTP status; 499 and 0 never leave the gateway.
    package var status: UInt16 {
        switch self {
        case .none: 0
        case .malformedRequest, .modelUnreadable, .proxyHeader, .plainHTTP, .handshake: 400
        case .noRoute: 404
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .reset, .malformedAnswer, .upstreamTLS, .cannotUpgrade: 502
        case .unreachable, .noReplica, .overloaded, .draining, .connectionLimit, .descriptors: 503
        case .connectTimeout, .firstByteTimeout, .streamTimeout, .totalTimeout, .deadline: 504
        case .clientGone, .slowClient: 499
        case .protocolNotAllowed: 501
        }
    }

    package var code: StaticString {
        switch self {
        case .none: ""
        case .malformedRequest: "malformed_request"
        case .noRoute: "no_route"
        case .modelUnreadable: "model_unreadable"
        case .bodyTooLarge: "body_too_large"
        case .requestTimeout: "request_timeout"
        case .proxyHeader: "proxy_header"
        case .noReplica: "no_replica"
        case .overloaded: "overloaded"
        case .draining: "draining"
        case .connectionLimit: "connection_limit"
        case .descriptors: "descriptors_exhausted"
        case .unreachable: "replica_unreachable"
        case .connectTimeout: "connect_timeout"
        case .reset: "replica_reset"
        case .malformedAnswer: "replica_malformed"
        case .firstByteTimeout: "first_byte_timeout"
        case .streamTimeout: "stream_timeout"
        case .totalTimeout: "total_timeout"
        case .clientGone: "client_gone"
        case .slowClient: "slow_client"
        case .plainHTTP: "plain_http"
        case .handshake: "tls_handshake"
        case .upstreamTLS: "replica_tls"
        case .deadline: "deadline_exceeded"
        case .cannotUpgrade: "replica_no_upgrade"
        case .protocolNotAllowed: "protocol_not_allowed"
        }
    }

    package var detail: StaticString {
        switch self {
        case .none: ""
        case .malformedRequest: "The request is not valid HTTP/1.1."
        case .noRoute: "No route matches this host, path, header or model."
        case .modelUnreadable:
            "Routing here needs the body's `model`, and the body is not JSON that names one early."
        case .bodyTooLarge: "The request body is larger than limits.request_body allows."
        case .requestTimeout: "The request did not arrive in time."
        case .proxyHeader: "This listener requires a valid PROXY protocol header."
        case .noReplica: "No replica of this service can take the request now."
        case .overloaded: "Too many requests are waiting for a replica."
        case .draining: "The gateway is shutting down."
        case .connectionLimit: "The gateway has as many connections as limits.connections allows."
        case .descriptors: "The gateway has no file descriptor left."
        case .unreachable: "No connection to a replica could be opened."
        case .connectTimeout:
            "Connecting to a replica, TLS handshake included, took longer than timeouts.connect."
        case .reset: "The replica closed the connection before it answered."
        case .malformedAnswer: "The replica's answer is not valid HTTP/1.1."
        case .firstByteTimeout: "The replica did not answer within timeouts.first_byte."
        case .streamTimeout: "The replica fell silent for longer than timeouts.stream_idle."
        case .totalTimeout: "The request took longer than timeouts.total."
        case .clientGone: "The client closed the connection before the answer was complete."
        case .plainHTTP: "This listener speaks TLS: use https."
        case .handshake: "The TLS handshake failed or took longer than timeouts.request_head."
        case .upstreamTLS: "No TLS session with a replica could be established."
        case .deadline: "The request took longer than its x-request-timeout or grpc-timeout."
        case .cannotUpgrade: "The replica speaks HTTP/2 and takes no upgrades over it."
        case .protocolNotAllowed: "This service does not let the `:protocol` through: see upgrades."
        case .slowClient: "The client took nothing for longer than timeouts.response_idle."
        }
    }

    /// The reason phrase of a status that the gateway itself answers with.
    package static func title(of status: UInt16) -> StaticString {
        switch status {
        case 400: "Bad Request"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }

    /// The status of gRPC that says the same as one of HTTP.
    static func statusOfGRPC(for status: UInt16) -> UInt8 {
        switch status {
        case 404: 12  // UNIMPLEMENTED: nobody here serves that method.
        case 408, 504: 4  // DEADLINE_EXCEEDED
        case 413, 429, 431: 8  // RESOURCE_EXHAUSTED
        case 502, 503: 14  // UNAVAILABLE: another try may help.
        default: 13  // INTERNAL
        }
    }

    package var outcome: Outcome {
        switch self {
        case .none: .success
        case .malformedRequest, .noRoute, .modelUnreadable, .bodyTooLarge, .requestTimeout,
            .proxyHeader, .plainHTTP, .handshake, .protocolNotAllowed:
            .client
        case .noReplica, .overloaded, .draining, .connectionLimit, .descriptors: .overload
        case .unreachable, .reset, .malformedAnswer, .upstreamTLS, .cannotUpgrade: .transport
        case .connectTimeout, .firstByteTimeout, .streamTimeout, .totalTimeout, .deadline:
            .timeout
        case .clientGone, .slowClient: .cancelled
        }
    }
}
