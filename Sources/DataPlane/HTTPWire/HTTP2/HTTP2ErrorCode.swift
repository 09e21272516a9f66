// The codes of RST_STREAM and GOAWAY (RFC 9113 7), and what may be done about them.

package struct HTTP2ErrorCode: Equatable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static var noError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0) }
    package static var protocolError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 1) }
    package static var internalError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 2) }
    package static var flowControlError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 3) }
    package static var settingsTimeout: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 4) }
    package static var streamClosed: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 5) }
    package static var frameSizeError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 6) }
    package static var refusedStream: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 7) }
    package static var cancel: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 8) }
    package static var compressionError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 9) }
    package static var connectError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 10) }
    package static var enhanceYourCalm: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 11) }
    package static var inadequateSecurity: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 12) }
    package static var http11Required: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 13) }

    /// The peer has not begun to process the stream: any request may be sent again (RFC 9113 8.7).
    /// Streams above a GOAWAY's last one end with this code, too.
    package var isUnprocessed: Bool { self == .refusedStream }

    /// Whether resetting a stream with this code says that the peer broke a rule. A refused stream
    /// does not: its peer may not have heard of the limit, or there is no room here.
    package var blamesPeer: Bool {
        switch self {
        case .protocolError, .flowControlError, .streamClosed, .frameSizeError, .compressionError,
            .enhanceYourCalm:
            true
        default: false
        }
    }

    /// The stable word for logs and metrics.
    package var name: StaticString {
        switch rawValue {
        case 0: "no_error"
        case 1: "protocol_error"
        case 2: "internal_error"
        case 3: "flow_control_error"
        case 4: "settings_timeout"
        case 5: "stream_closed"
        case 6: "frame_size_error"
        case 7: "refused_stream"
        case 8: "cancel"
        case 9: "compression_error"
        case 10: "connect_error"
        case 11: "enhance_your_calm"
        case 12: "inadequate_security"
        case 13: "http_1_1_required"
        default: "unknown"
        }
    }
}
