// Hummingbird's requests into `AdminRequest`, and `AdminResponse` back.

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let peer: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress
    }
}

struct AdminResponder: HTTPResponder {
    let api: AdminAPI

    func respond(to request: Request, context: AdminContext) async throws -> Response {
        let isHead = request.method == .head
        let answer = try await answer(request, context)
        var response = Response(
            status: .init(code: answer.status), headers: fields(answer.headers),
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
        response.headers[.contentLength] = String(answer.body.count)
        if isHead { response = response.createHeadResponse() }
        return response
    }

    private func answer(_ request: Request, _ context: AdminContext) async throws -> AdminResponse {
        var message = message(request, context)
        if let refusal = api.refusal(of: message) { return refusal }
        message.body = try await body(of: request)
        return await api.respond(to: message)
    }

    private func message(_ request: Request, _ context: AdminContext) -> AdminRequest {
        AdminRequest(
            method: request.method.rawValue, target: request.head.path ?? "/",
            host: request.head.authority, authorization: request.headers[.authorization],
            requestID: HTTPField.Name("x-request-id").flatMap { request.headers[$0] },
            peer: context.peer)
    }

    /// Stops one byte beyond the limit; the API then refuses what is left of it.
    private func body(of request: Request) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in request.body {
            bytes.append(contentsOf: part.readableBytesView)
            if bytes.count > AdminAPI.bodyBytesMax { break }
        }
        return bytes
    }

    private func fields(_ headers: [String: String]) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            guard let name = HTTPField.Name(name) else { continue }
            fields[name] = value
        }
        return fields
    }
}
