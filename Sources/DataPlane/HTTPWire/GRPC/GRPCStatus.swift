// The outcome of a gRPC call: a number in `grpc-status`, in the trailers or, where there is no
// message, in the head. The HTTP status is 200 whatever it says.

package enum GRPCStatus: UInt8, CaseIterable, Sendable {
    case ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
    case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
    case unimplemented, `internal`, unavailable, dataLoss, unauthenticated

    /// What fields say; nil when they say nothing. What is no status counts as unknown.
    package static func read(
        _ fields: borrowing FieldTable, of bytes: RawSpan
    ) -> GRPCStatus? {
        for index in 0..<fields.count where fields[index].known == .other {
            if bytes.equals(fields[index].name, "grpc-status") {
                return parse(bytes, fields[index].value)
            }
        }
        return nil
    }

    private static func parse(_ bytes: RawSpan, _ value: Slice) -> GRPCStatus {
        guard value.count == 1 || value.count == 2 else { return .unknown }
        var number: UInt8 = 0
        for index in value.start..<value.end {
            let digit = bytes.byte(index) &- 0x30
            guard digit < 10 else { return .unknown }
            number = number &* 10 &+ digit
        }
        return GRPCStatus(rawValue: number) ?? .unknown
    }

    /// What a client makes of an answer that has no `grpc-status` (gRPC's own mapping).
    package init(httpStatus: UInt16) {
        switch httpStatus {
        case 400: self = .internal
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .unimplemented
        case 429, 502, 503, 504: self = .unavailable
        default: self = .unknown
        }
    }

    /// Whether a request speaks gRPC: `application/grpc`, with or without a codec or parameters.
    package static func isContentType(_ bytes: RawSpan, _ value: Slice) -> Bool {
        guard bytes.begins(value, "application/grpc") else { return false }
        let end = value.start &+ 16
        if end == value.end { return true }
        let next = bytes.byte(end)
        return next == 0x2B || next == 0x3B || ByteClass.isSpace(next)
    }

    /// As logs and metrics have it.
    package var name: StaticString {
        switch self {
        case .ok: "ok"
        case .cancelled: "cancelled"
        case .unknown: "unknown"
        case .invalidArgument: "invalid_argument"
        case .deadlineExceeded: "deadline_exceeded"
        case .notFound: "not_found"
        case .alreadyExists: "already_exists"
        case .permissionDenied: "permission_denied"
        case .resourceExhausted: "resource_exhausted"
        case .failedPrecondition: "failed_precondition"
        case .aborted: "aborted"
        case .outOfRange: "out_of_range"
        case .unimplemented: "unimplemented"
        case .internal: "internal"
        case .unavailable: "unavailable"
        case .dataLoss: "data_loss"
        case .unauthenticated: "unauthenticated"
        }
    }
}
