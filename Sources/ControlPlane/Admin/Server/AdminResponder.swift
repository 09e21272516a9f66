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
            body: body(of: answer))
        if answer.stream == nil, answer.status != 204, answer.status != 304 {
            response.headers[.contentLength] = String(answer.body.count)
        }
        if isHead { response = response.createHeadResponse() }
        return response
    }

    private func answer(_ request: Request, _ context: AdminContext) async throws -> AdminResponse {
        switch await api.admit(message(request, context)) {
        case .refused(let answer): return answer
        case .admitted(let visit):
            return await api.respond(to: visit, body: try await body(of: request))
        }
    }

    private func message(_ request: Request, _ context: AdminContext) -> AdminRequest {
        var headers: [String: String] = [:]
        for field in request.headers {
            let name = field.name.canonicalName
            headers[name] = headers[name].map { "\($0), \(field.value)" } ?? field.value
        }
        return AdminRequest(
            method: request.method.rawValue, target: request.head.path ?? "/",
            host: request.head.authority, headers: headers, peer: context.peer)
    }

    private func body(of answer: AdminResponse) -> ResponseBody {
        guard let stream = answer.stream else {
            return .init(byteBuffer: ByteBuffer(bytes: answer.body))
        }
        return ResponseBody { writer in
            try await stream { text in
                try await writer.write(ByteBuffer(string: text))
            }
            try await writer.finish(nil)
        }
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
