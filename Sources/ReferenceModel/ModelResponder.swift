// The Open Inference Protocol v2 over HTTP: which path means what, and the answer to each. Owns
// nothing but the model's state; every failure leaves as {"error": "…"} with an honest status.

import Foundation
import HTTPTypes
package import Hummingbird
import NIOCore

package struct ModelResponder: HTTPResponder {
    package typealias Context = BasicRequestContext

    package let state: ModelState

    package init(state: ModelState) {
        self.state = state
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        do {
            return try await answer(request)
        } catch let error as InferenceError {
            return failure(error)
        } catch is NIOTooManyBytesError {
            return failure(.tooLarge)
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let endpoint = try OpenInferencePath(request.uri.path, artifact: state.artifact)
        try endpoint.check(method: request.method)
        switch endpoint {
        case .live: return try json(["live": true])
        case .ready:
            guard state.isReady else { throw InferenceError.loading }
            return try json(["ready": true])
        case .server: return try json(ServerMetadata())
        case .model: return try json(ModelMetadata(state.artifact))
        case .modelReady:
            guard state.isReady else { throw InferenceError.loading }
            return try json(ModelReadiness(name: state.artifact.name))
        case .infer: return try await infer(request)
        }
    }

    private func infer(_ request: Request) async throws -> Response {
        guard state.isReady else { throw InferenceError.loading }
        if let encoding = request.headers[.contentEncoding], encoding != "identity" {
            throw InferenceError.unsupportedEncoding(encoding)
        }
        let jsonBytes = try jsonBytes(request)
        let body = try await request.body.collect(upTo: Limits.requestBytes)
        let artifact = state.artifact
        let inference = try InferenceRequest(
            decoding: Data(body.readableBytesView), jsonBytes: jsonBytes,
            features: artifact.features.count)
        let answers = try await state.infer(inference.rows)
        let response = try InferenceResponse(
            to: inference, answers: answers, labels: artifact.labels, name: artifact.name,
            version: artifact.version)
        var headers: HTTPFields = [.contentType: "application/json"]
        if let bytes = response.jsonBytes {
            headers = [
                .contentType: "application/octet-stream", .inferenceHeaderLength: "\(bytes)",
            ]
        }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
    }

    private func jsonBytes(_ request: Request) throws(InferenceError) -> Int? {
        guard let text = request.headers[.inferenceHeaderLength] else { return nil }
        guard let count = Int(text), count >= 0 else {
            throw .invalid("inference-header-content-length: a whole number expected, got \(text)")
        }
        return count
    }

    private func failure(_ error: InferenceError) -> Response {
        // Encoding a dictionary of two strings has no way to fail; the status alone would do.
        let body = (try? JSONEncoder.wire.encode(["error": error.sentence])) ?? Data()
        var headers: HTTPFields = [.contentType: "application/json"]
        if case .methodNotAllowed(let allowed) = error { headers[.allow] = allowed }
        if error.status == 503 { headers[.retryAfter] = "1" }
        return Response(
            status: .init(code: error.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private func json(_ value: some Encodable) throws -> Response {
        let body = try JSONEncoder.wire.encode(value)
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

extension JSONEncoder {
    fileprivate static var wire: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension HTTPField.Name {
    fileprivate static var inferenceHeaderLength: Self {
        guard let name = Self("Inference-Header-Content-Length") else {
            preconditionFailure("a header's name is a token")
        }
        return name
    }
}
