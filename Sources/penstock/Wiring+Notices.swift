// Answers in the name of stopped deployments: 503, when to ask again, and what the operator has to
// say. The gateway's own refusals have fixed words, so these requests are sent here like to a
// replica, over a socket that only this user can reach.

import Deployments
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Notation
import Proxying
import Replicas
import Traffic

extension Wiring {
    /// For as long as the program runs.
    static func startNotices(_ runtime: ProcessRuntime, _ controller: Controller) async throws {
        try await startNotices(at: noticePath(runtime)) { await controller.notice(of: $0) }
    }

    /// Only by the process that is in charge: the path is its successor's otherwise.
    static func removeSockets(_ runtime: ProcessRuntime) {
        // Gone already is as good: the next one takes its place anyway.
        try? FileManager.default.removeItem(atPath: noticePath(runtime))
        runtime.files.removeShortSockets()
    }

    private static func startNotices(
        at path: String, _ text: @escaping @Sendable (_ deployment: String) async -> StoppedNotice
    ) async throws {
        _ = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    .flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(NoticeHandler(text))
                    }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }
}

/// One answer a connection: the body that a client may still be sending is of no use to anyone.
private final class NoticeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let text: @Sendable (String) async -> StoppedNotice

    init(_ text: @escaping @Sendable (String) async -> StoppedNotice) {
        self.text = text
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let request) = unwrapInboundIn(data) else { return }
        let name = request.headers[StoppedNotice.header].first ?? ""
        context.eventLoop.makeFutureWithTask { [text] in await text(name) }
            .assumeIsolated().whenSuccess { notice in
                let isGRPC = request.headers.first(name: "content-type")?
                    .hasPrefix("application/grpc")
                if isGRPC == true {
                    self.answer(call: notice, context)
                } else {
                    self.answer(notice, isHead: request.method == .HEAD, context)
                }
            }
    }

    private func answer(_ notice: StoppedNotice, isHead: Bool, _ context: ChannelHandlerContext) {
        let problem = JSONValue.object([
            "type": "about:blank", "title": "Service Unavailable", "status": 503,
            "detail": .string(notice.detail), "code": .string(StoppedNotice.code),
        ])
        let body = ByteBuffer(string: problem.compact + "\n")
        let head = HTTPResponseHead(
            version: .http1_1, status: .serviceUnavailable,
            headers: [
                "content-type": "application/problem+json",
                "content-length": "\(body.readableBytes)", "cache-control": "no-store",
                "x-penstock-error": StoppedNotice.code,
                "retry-after": "\(StoppedNotice.retryAfterSeconds)", "connection": "close",
            ])
        send(head, isHead ? nil : body, context)
    }

    /// gRPC's own form: a head that is all of the answer (gRPC over HTTP/2, Trailers-Only).
    private func answer(call notice: StoppedNotice, _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok,
            headers: [
                "content-type": "application/grpc", "content-length": "0",
                "grpc-status": StoppedNotice.grpcStatus,
                "grpc-message": notice.grpcMessage,
                "x-penstock-error": StoppedNotice.code, "connection": "close",
            ])
        send(head, nil, context)
    }

    private func send(
        _ head: HTTPResponseHead, _ body: ByteBuffer?, _ context: ChannelHandlerContext
    ) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
