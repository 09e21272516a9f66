// What is no HTTP at all: refused like everything else, as a problem with a request id, and then
// the connection ends. The library knows only a bare 400; and it would take the first of two hosts.

import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// After the library's decoder: makes its bare refusal a problem.
final class MalformedRequests: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var error: (any Error)?

    /// The library answers to errors of its parser alone.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isOurs = error is ManyHosts
        if isOurs || error is HTTPParserError { self.error = self.error ?? error }
        context.fireErrorCaught(isOurs ? HTTPParserError.invalidHeaderToken : error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let error, case .head(let head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.contentLength] == "0"
        else { return context.write(data, promise: promise) }
        self.error = nil
        let requestID = AdminAPI.newRequestID
        let answer = AdminAPI.finished(
            Problem(error).response(requestID: requestID), requestID)
        var fields = head.headerFields
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        fields[.contentLength] = String(answer.body.count)
        fields[.date] = AdminClock.date(Date())
        let changed = HTTPResponse(status: .init(code: answer.status), headerFields: fields)
        context.write(wrapOutboundOut(.head(changed)), promise: nil)
        context.write(
            wrapOutboundOut(.body(ByteBuffer(bytes: answer.body))), promise: promise)
    }
}

extension Problem {
    fileprivate init(_ error: any Error) {
        self.init(
            status: 400, code: "MALFORMED_REQUEST",
            detail: error is ManyHosts
                ? "there is more than one Host" : "this is no HTTP request: \(error)")
        if error as? HTTPParserError == .headerOverflow {
            (status, code) = (431, "HEAD_TOO_LARGE")
            detail = "the head of the request is too large"
        }
    }
}

private struct ManyHosts: Error {}

/// Before the decoder has made one authority of several: refuses a request with two hosts, of
/// which somebody in between may have looked at the other (RFC 9112, 3.2).
final class SingleHost: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), head.headers["host"].count > 1 {
            isRefused = true
            context.fireErrorCaught(ManyHosts())
        }
        if !isRefused { context.fireChannelRead(data) }
    }
}
