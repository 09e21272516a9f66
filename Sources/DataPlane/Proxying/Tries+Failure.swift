// Tries that have failed: another follows where `FailedTry` says so, at the request's expense or
// for free; else the client is told, unless a second try is under way beside this one.

import Balancing
import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// The try under way has ended without an answer that could be passed on.
    ///
    /// - Parameter reach: how far it came; found out if not said.
    mutating func tryFailed(
        _ exchange: Slot<Exchange>, _ code: RefusalCode, reach: TryReach? = nil
    ) {
        let failed = failedTry(exchange, reach ?? self.reach(of: exchange, code))
        let outcome = failed.blamesReplica ? code.outcome : .cancelled
        if isRacing(exchange) { return loseRace(exchange, outcome: outcome, error: code) }
        let index = exchange.it.endpoint
        endTry(exchange, outcome: outcome, error: code)
        exchange.it.error = code
        if failed.reach == .unprocessed { exchange.it.wasUnprocessed = true }
        switch failed.verdict {
        case .free(let mayReturn):
            if exchange.it.isAttempt { exchange.it.attempts -= 1 }
            if !mayReturn {
                exchange.it.choice.recordTry(of: index)
                exchange.it.freeTries += 1
            }
        case .charged:
            guard exchange.it.service.it.rules.budget.tryWithdraw(now: loop.now) else {
                exchange.it.service.it.retriesRefused.increment()
                return fail(exchange, code)
            }
            exchange.it.choice.recordTry(of: index)
            exchange.it.service.it.retries.increment()
        case .over:
            return fail(exchange, code)
        }
        dispatch(exchange)
    }

    /// No other try follows this one; but one may be under way beside it.
    mutating func giveUp(_ exchange: Slot<Exchange>, _ code: RefusalCode) {
        if isRacing(exchange) {
            return loseRace(exchange, outcome: code.outcome, error: code)
        }
        fail(exchange, code)
    }

    func isRacing(_ exchange: Slot<Exchange>) -> Bool {
        exchange.it.isHedge || exchange.it.partner != nil
    }

    private func reach(of exchange: Slot<Exchange>, _ code: RefusalCode) -> TryReach {
        let upstream = exchange.it.upstream
        guard exchange.it.isTransmitted else {
            return code == .reset && upstream?.it.isStream == true ? .unprocessed : .unsent
        }
        return code == .reset && upstream?.it.isReused == true ? .crossed : .processed
    }

    private func failedTry(_ exchange: Slot<Exchange>, _ reach: TryReach) -> FailedTry {
        let rules = exchange.it.service.it.rules
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        var failed = FailedTry(
            reach, isIdempotent: exchange.it.method.isIdempotent || rules.isIdempotent,
            attempts: Int(exchange.it.attempts), attemptsMax: Int(rules.attempts))
        failed.hasAnswer = exchange.it.hasAnswer
        failed.isWhole = exchange.it.isReplayable
        failed.freeTries = Int(exchange.it.freeTries)
        failed.freeTriesMax = min(revision.it.endpoints.count, Limits.freeTries)
        failed.wasUnprocessed = exchange.it.wasUnprocessed
        return failed
    }

    /// Whether the request may reach a replica twice: by its method or by its service's word, only
    /// while all of it is still here, and never behind a byte of an answer.
    func mayRepeat(_ exchange: Slot<Exchange>) -> Bool {
        exchange.it.isReplayable && !exchange.it.hasAnswer
            && (exchange.it.method.isIdempotent || exchange.it.service.it.rules.isIdempotent)
    }

    /// Replicas found down lose their waiting requests to others, at once.
    mutating func endpointDown(_ endpoint: CompiledEndpoint) {
        guard let pool = pools[ObjectIdentifier(endpoint)] else { return }
        var next = pool.it.firstActive
        var moving = gathered
        gathered = []
        while let upstream = next {
            next = upstream.it.next
            if let carrier = upstream.it.carrier { gatherWaiting(on: carrier, into: &moving) }
            guard let exchange = upstream.it.exchange else { continue }
            let isWaiting = exchange.it.phase == .awaitingAnswer && upstream.it.stash.isEmpty
            if exchange.it.phase == .connecting || isWaiting && mayRepeat(exchange) {
                moving.append(exchange)
            }
        }
        for exchange in moving where exchange.it.phase != .over {
            if isRacing(exchange) {
                tryFailed(exchange, .reset, reach: .processed)
                continue
            }
            let index = exchange.it.endpoint
            endTry(exchange, outcome: .transport, error: .reset)
            exchange.it.error = .reset
            exchange.it.choice.recordTry(of: index)
            exchange.it.service.it.retries.increment()
            dispatch(exchange)
        }
        moving.removeAll(keepingCapacity: true)
        gathered = moving
        closeIdle(of: pool)
    }
}
