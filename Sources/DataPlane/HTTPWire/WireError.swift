// Why bytes were refused. From a client each case says which status to answer with; from a replica
// every one of them is a bad gateway. After any of them the connection cannot be used again.

package enum WireError: UInt8, Error, Equatable, Sendable, CaseIterable {
    // The first line.
    case badMethod, methodTooLong, methodNotImplemented
    case badTarget, targetTooLong, badVersion, unsupportedVersion, badStatusLine

    // Lines and fields.
    case bareLineFeed, bareCarriageReturn, obsoleteFold, spaceBeforeColon, emptyFieldName
    case badFieldName, badFieldValue, headTooLarge, tooManyFields
    case badConnection, expectationFailed

    // Host.
    case missingHost, repeatedHost, badHost

    // Framing.
    case badContentLength, repeatedContentLength, contentLengthWithTransferEncoding
    case badTransferEncoding, unknownTransferCoding, transferEncodingInHTTP10, unexpectedFraming

    // Bodies.
    case badChunkSize, chunkSizeTooLarge, badChunkExtension, chunkOverheadTooLarge
    case badChunkEnd, trailersTooLarge, truncatedBody

    /// What a client is answered.
    package var status: Int {
        switch self {
        case .targetTooLong: 414
        case .expectationFailed: 417
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .methodTooLong, .methodNotImplemented, .unknownTransferCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }
}

extension WireError {
    /// The stable word for logs, metrics and `x-penstock-error`.
    package var code: StaticString {
        switch self {
        case .badMethod: "bad_method"
        case .methodTooLong: "method_too_long"
        case .methodNotImplemented: "method_not_implemented"
        case .badTarget: "bad_target"
        case .targetTooLong: "target_too_long"
        case .badVersion: "bad_version"
        case .unsupportedVersion: "unsupported_version"
        case .badStatusLine: "bad_status_line"
        case .bareLineFeed: "bare_line_feed"
        case .bareCarriageReturn: "bare_carriage_return"
        case .obsoleteFold: "obsolete_fold"
        case .spaceBeforeColon: "space_before_colon"
        case .emptyFieldName: "empty_field_name"
        case .badFieldName: "bad_field_name"
        case .badFieldValue: "bad_field_value"
        case .headTooLarge: "head_too_large"
        case .tooManyFields: "too_many_fields"
        case .badConnection: "bad_connection"
        case .expectationFailed: "expectation_failed"
        case .missingHost: "missing_host"
        case .repeatedHost: "repeated_host"
        case .badHost: "bad_host"
        case .badContentLength: "bad_content_length"
        case .repeatedContentLength: "repeated_content_length"
        case .contentLengthWithTransferEncoding: "content_length_with_transfer_encoding"
        case .badTransferEncoding: "bad_transfer_encoding"
        case .unknownTransferCoding: "unknown_transfer_coding"
        case .transferEncodingInHTTP10: "transfer_encoding_in_http_1_0"
        case .unexpectedFraming: "unexpected_framing"
        case .badChunkSize: "bad_chunk_size"
        case .chunkSizeTooLarge: "chunk_size_too_large"
        case .badChunkExtension: "bad_chunk_extension"
        case .chunkOverheadTooLarge: "chunk_overhead_too_large"
        case .badChunkEnd: "bad_chunk_end"
        case .trailersTooLarge: "trailers_too_large"
        case .truncatedBody: "truncated_body"
        }
    }

    /// One sentence for a person.
    package var reason: StaticString {
        switch self {
        case .badMethod: "The method is not a token followed by one space."
        case .methodTooLong: "The method is longer than any that is served."
        case .methodNotImplemented: "CONNECT and TRACE are not served."
        case .badTarget: "The request target is malformed."
        case .targetTooLong: "The request target is too long."
        case .badVersion: "The first line does not end in an HTTP version."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are spoken here."
        case .badStatusLine: "The status line is malformed."
        case .bareLineFeed: "A line ends in LF without CR."
        case .bareCarriageReturn: "A CR is not followed by LF."
        case .obsoleteFold: "A field is folded over several lines."
        case .spaceBeforeColon: "There is whitespace between a field name and its colon."
        case .emptyFieldName: "A field has no name."
        case .badFieldName: "A field name has a character that names cannot have."
        case .badFieldValue: "A field value has a control character."
        case .headTooLarge: "The head is too large."
        case .tooManyFields: "The head has too many fields."
        case .badConnection: "The Connection field is not a short list of tokens."
        case .expectationFailed: "The only expectation that can be met is 100-continue."
        case .missingHost: "An HTTP/1.1 request needs a Host field."
        case .repeatedHost: "There is more than one Host field."
        case .badHost: "The host is not a name or address with an optional port."
        case .badContentLength: "Content-Length is not a decimal number in range."
        case .repeatedContentLength: "There is more than one Content-Length field."
        case .contentLengthWithTransferEncoding:
            "Content-Length and Transfer-Encoding exclude each other."
        case .badTransferEncoding: "Transfer-Encoding must be exactly: chunked."
        case .unknownTransferCoding: "The only transfer coding understood is chunked."
        case .transferEncodingInHTTP10: "HTTP/1.0 has no Transfer-Encoding."
        case .unexpectedFraming: "A message that has no body announces one."
        case .badChunkSize: "A chunk size is not a hexadecimal number ended by CRLF."
        case .chunkSizeTooLarge: "A chunk size is too large."
        case .badChunkExtension: "A chunk extension is malformed."
        case .chunkOverheadTooLarge: "The chunk extensions outweigh the body."
        case .badChunkEnd: "A chunk's data is not followed by CRLF."
        case .trailersTooLarge: "The trailer section is too large."
        case .truncatedBody: "The connection closed before the body was complete."
        }
    }
}
