// `Idempotency-Key`: a client that does not know whether its request arrived sends it again and
// gets the first answer. The answer is stored with the work; what was refused may be tried anew.

import Deployments
import Notation
import State

extension AdminEndpoint {
    /// Whether its row takes a key; what only reads is simply done again.
    fileprivate var mayBeRepeated: Bool {
        parameters.contains { $0.name == AdminRoutes.idempotencyKey.name }
    }
}

/// A request that carries a key, once it has begun.
final class Repetition: Sendable {
    let key: IdempotencyKey
    /// Raised once the answer has gone into the transaction of the work.
    let isStored = Flag()

    init(key: IdempotencyKey) {
        self.key = key
    }

    /// The answer as it goes into the transaction of the work.
    func stored(_ answer: AdminResponse) -> IdempotentAnswer {
        isStored.raise()
        return IdempotentAnswer(
            key: key, status: answer.status, headers: answer.headers, body: answer.body)
    }
}

extension AdminAPI {
    /// Does the request, or repeats the answer it had before.
    func repeatable(_ original: AdminCall) async throws -> AdminResponse {
        guard let text = original.request.headers["idempotency-key"],
            original.endpoint.mayBeRepeated
        else { return try await original.endpoint.handle(self, original) }
        let repetition = Repetition(key: try Self.key(text, original))
        // What changes nothing may be repeated without being remembered.
        guard !original.isDryRun, let store = memory?.store else {
            return try await original.endpoint.handle(self, original)
        }
        let hash = try Self.hash(of: original, store)
        switch try await store.beginIdempotent(repetition.key, requestHash: hash, now: date()) {
        case .done(let answer): return Self.repeated(answer)
        case .running:
            throw Problem(
                status: 409, code: "IDEMPOTENCY_KEY_IN_USE",
                detail: "the first request with this Idempotency-Key is still at work",
                headers: ["retry-after": "1"])
        case .mismatch:
            throw Problem(
                status: 422, code: "IDEMPOTENCY_KEY_REUSED",
                detail: "this Idempotency-Key was used for another request",
                hint: "a new request needs a new key")
        case .begun: break
        }
        var call = original
        call.repetition = repetition
        return try await first(call, repetition, store)
    }

    /// Of a request that carries a secret it must not be one that can be guessed without the key.
    private static func hash(of call: AdminCall, _ store: Store) throws -> String {
        let hash = Digest.sha256(
            Array("\(call.request.method) \(call.request.target)\n".utf8) + call.request.body)
        return call.endpoint.tag == "secrets" ? try store.fingerprint(hash) : hash
    }

    private func first(
        _ call: AdminCall, _ repetition: Repetition, _ store: Store
    ) async throws -> AdminResponse {
        let answer: AdminResponse
        do {
            answer = try await call.endpoint.handle(self, call)
        } catch {
            // The first error is the one that tells; a key that stays taken expires.
            try? await store.abandonIdempotent(repetition.key)
            throw error
        }
        if repetition.isStored.isRaised { return answer }
        do {
            try await store.finishIdempotent(repetition.stored(answer), now: date())
        } catch {
            // It is done, and that is what is told; too large to be kept, it would be done again.
            try? await store.abandonIdempotent(repetition.key)
        }
        return answer
    }

    private static func key(_ text: String, _ call: AdminCall) throws(Problem) -> IdempotencyKey {
        let isFit =
            (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isFit else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
        return IdempotencyKey(key: text, token: call.token?.id ?? "")
    }

    private static func repeated(_ answer: IdempotentAnswer) -> AdminResponse {
        var headers = answer.headers
        headers["idempotency-replayed"] = "true"
        return AdminResponse(status: answer.status, headers: headers, body: answer.body)
    }
}
