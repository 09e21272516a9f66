// Hedging: a request whose answer is late is tried on a second replica, and the first answer wins,
// unless all it says is that the replica cannot: then the other try is waited for. The second try
// is an exchange of its own beside the client's, so that both are counted, timed and ended like any
// other; when it wins, the client's exchange takes its try over.

import Balancing
import HTTPWire
import Reactor
import Traffic

/// When a request of a service counts as late.
struct HedgeRule {
    let budget: RetryBudgetHandle
    /// 0 where the delay is fixed.
    let quantile: Double
    let nanoseconds: Int64

    init?(_ service: CompiledService) {
        guard let plan = service.plan.hedge, let budget = service.hedgeBudget else { return nil }
        self.budget = budget.handle
        switch plan.delay {
        case .quantile(let share):
            quantile = share
            nanoseconds = 0
        case .fixed(let duration):
            quantile = 0
            nanoseconds = duration.wholeNanoseconds
        }
    }
}

extension Worker {
    // MARK: Being late

    /// The request is out, whole: notes when a second try is due, if ever.
    mutating func planHedge(_ exchange: Slot<Exchange>) {
        guard let rule = exchange.it.service.it.rules.hedge, !exchange.it.wasHedged,
            !exchange.it.isHedge, !exchange.it.wantsUpgrade, mayRepeat(exchange)
        else { return }
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        guard revision.it.endpoints.count > 1 else { return }
        let estimate = rule.quantile > 0 ? revision.it.lateness.nanoseconds : rule.nanoseconds
        guard let delay = estimate else { return }
        rule.budget.recordRequest(now: loop.now)
        exchange.it.hedgeAt = loop.now + max(delay, Limits.hedgeNanosecondsMin)
        setExchangeTimer(exchange)
    }

    func noteLateness(_ exchange: Slot<Exchange>) {
        guard let rule = exchange.it.service.it.rules.hedge, rule.quantile > 0 else { return }
        exchange.it.service.it.revisions[Int(exchange.it.revision)].it.lateness.record(
            exchange.it.firstByteAt - exchange.it.tryStarted, quantile: rule.quantile)
    }

    /// Begins the second try, if the budget and the replicas allow.
    mutating func hedge(_ exchange: Slot<Exchange>) {
        guard exchange.it.phase == .awaitingAnswer, exchange.it.partner == nil,
            let rule = exchange.it.service.it.rules.hedge, mayRepeat(exchange)
        else { return }
        let service = exchange.it.service
        let revision = Int(exchange.it.revision)
        var request = exchange.it.choice
        request.recordTry(of: exchange.it.endpoint)
        guard
            case .endpoint(let index) = service.it.balancer.choose(
                revision: revision, request: request, now: loop.now)
        else { return }
        let endpoint = service.it.revisions[revision].it.endpoints[Int(index)]
        // Asked last: where no other replica can be asked, the budget is kept for when one can.
        guard index != exchange.it.endpoint, hasRoom(at: endpoint.it.pool, for: exchange),
            rule.budget.tryWithdraw(now: loop.now), let second = makeHedge(of: exchange)
        else { return endpoint.it.handle.end() }
        service.it.hedges.increment()
        second.it.choice = request
        beginTry(second, at: index)
        if let code = reach(endpoint, for: second) {
            dropHedge(second, outcome: code.outcome, error: code)
        }
    }

    private mutating func makeHedge(of exchange: Slot<Exchange>) -> Slot<Exchange>? {
        var buffer = spareBuffers.popLast() ?? HeapBytes()
        buffer.append(exchange.it.replay.bytes)
        var trailers = HeapBytes()
        trailers.append(exchange.it.requestTrailers.bytes)
        var record = Exchange(
            client: exchange.it.client, snapshot: exchange.it.snapshot,
            service: exchange.it.service, method: exchange.it.method,
            minorVersion: exchange.it.minorVersion, keepsAlive: exchange.it.keepsAlive,
            started: exchange.it.started, replay: buffer,
            requestDecoder: exchange.it.requestDecoder)
        record.isHedge = true
        record.isGRPC = exchange.it.isGRPC
        record.isRequestDone = true
        record.isRequestChunked = exchange.it.isRequestChunked
        record.keepsPayload = exchange.it.keepsPayload
        record.requestTrailers = trailers
        record.revision = exchange.it.revision
        record.requestID = exchange.it.requestID
        record.headCount = exchange.it.headCount
        record.insertOffset = exchange.it.insertOffset
        record.insertsHost = exchange.it.insertsHost
        record.deadline = exchange.it.deadline
        record.tellsTimeout = exchange.it.tellsTimeout
        record.tellsGRPCTimeout = exchange.it.tellsGRPCTimeout
        record.partner = exchange
        guard let second = exchanges.take(record) else {
            buffer.free()
            trailers.free()
            return nil
        }
        exchange.it.partner = second
        exchange.it.wasHedged = true
        exchange.it.snapshot.it.users += 1
        return second
    }

    // MARK: The race

    /// Two tries were made, of which one or both are under way.
    func mayHaveHedge(_ exchange: Slot<Exchange>) -> Bool {
        exchange.it.partner != nil || exchange.it.isTryOfHedge
    }

    /// One of two tries has its answer: the other, if it has not failed by now, is cancelled.
    ///
    /// - Returns: the client's exchange, which has the winner's try.
    mutating func settle(_ winner: Slot<Exchange>) -> Slot<Exchange> {
        guard let other = winner.it.partner else {
            if winner.it.isTryOfHedge { winner.it.service.it.hedgesWon.increment() }
            return winner
        }
        guard winner.it.isHedge else {
            dropHedge(other, outcome: .cancelled)
            return winner
        }
        endTry(other, outcome: .cancelled)
        other.it.service.it.hedgesWon.increment()
        takeOver(other, from: winner)
        return other
    }

    /// One of two tries has an answer that says no more than that its replica cannot, which the
    /// other's may: it counts as failed.
    ///
    /// - Parameter isWhole: the head is all of the answer.
    /// - Returns: false when the answer is to be passed on; else the try is over.
    mutating func yields(
        _ exchange: Slot<Exchange>, _ answer: ResponseHead, in bytes: Bytes, isWhole: Bool
    ) -> Bool {
        guard exchange.it.partner != nil else { return false }
        let status = isWhole ? turningAway(exchange, in: bytes) : nil
        guard status != nil || (502...504).contains(answer.status) else { return false }
        loseRace(exchange, outcome: status?.outcome ?? .model)
        return true
    }

    /// One of two tries has failed while the other is under way: the other becomes the only one.
    mutating func loseRace(
        _ exchange: Slot<Exchange>, outcome: Outcome, error: RefusalCode = .none
    ) {
        if exchange.it.isHedge { return dropHedge(exchange, outcome: outcome, error: error) }
        guard let second = exchange.it.partner else { return }
        endTry(exchange, outcome: outcome, error: error)
        exchange.it.error = error
        exchange.it.choice.recordTry(of: exchange.it.endpoint)
        takeOver(exchange, from: second)
        exchange.it.isTryOfHedge = true
    }

    private mutating func takeOver(_ exchange: Slot<Exchange>, from second: Slot<Exchange>) {
        exchange.it.endpoint = second.it.endpoint
        exchange.it.depth = second.it.depth
        exchange.it.tryStarted = second.it.tryStarted
        exchange.it.sentAt = second.it.sentAt
        exchange.it.connectNanoseconds = second.it.connectNanoseconds
        exchange.it.phase = second.it.phase
        exchange.it.attempts &+= second.it.attempts
        exchange.it.isAttempt = second.it.isAttempt
        // What the client has of the first try's stays with it.
        exchange.it.hasAnswer = exchange.it.hasAnswer || second.it.hasAnswer
        exchange.it.isCounted = second.it.isCounted
        exchange.it.upstream = second.it.upstream
        exchange.it.upstream?.it.exchange = exchange
        exchange.it.choice.recordTry(of: second.it.endpoint)
        second.it.isCounted = false
        second.it.upstream = nil
        bury(second)
    }

    /// A second try ends without a word.
    mutating func dropHedge(
        _ second: Slot<Exchange>, outcome: Outcome, error: RefusalCode = .none
    ) {
        endTry(second, outcome: outcome, error: error)
        bury(second)
    }

    private mutating func bury(_ second: Slot<Exchange>) {
        guard second.it.phase != .over else { return }
        second.it.partner?.it.partner = nil
        second.it.partner = nil
        second.it.phase = .over
        release(second.it.snapshot)
        deadExchanges.append(second)
    }
}
