// Late binding: where replicas have a known number of slots, or take only so many streams, a
// request waits here, in order, until one is free, instead of in a replica's queue that may turn
// out to be the slow one.

import Balancing
import Reactor
import Traffic

extension Worker {
    /// A replica with room for the request. One whose connections take no further stream has none,
    /// like one whose slots are taken.
    func choose(for exchange: Slot<Exchange>) -> Choice {
        let service = exchange.it.service
        let revision = Int(exchange.it.revision)
        let endpoints = service.it.revisions[revision].it.endpoints
        var request = exchange.it.choice
        for _ in 0..<max(1, min(endpoints.count, Limits.freeTries)) {
            let choice = service.it.balancer.choose(
                revision: revision, request: request, now: loop.now)
            guard case .endpoint(let index) = choice else { return choice }
            let endpoint = endpoints[Int(index)]
            if hasRoom(at: endpoint.it.pool, for: exchange) { return choice }
            // Counted with the choice.
            endpoint.it.handle.end()
            request.recordTry(of: index)
        }
        return .hold
    }

    /// The request waits for a slot, or is refused when too many wait already.
    mutating func hold(_ exchange: Slot<Exchange>) {
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        guard shared.pending.enter(limit: gateway.pending) else {
            return fail(exchange, .overloaded)
        }
        exchange.it.phase = .held
        exchange.it.choice.isHeld = true
        exchange.it.previousHeld = revision.it.lastHeld
        exchange.it.nextHeld = nil
        revision.it.lastHeld?.it.nextHeld = exchange
        revision.it.lastHeld = exchange
        if revision.it.firstHeld == nil { revision.it.firstHeld = exchange }
        revision.it.heldCount += 1
        heldCount += 1
        meters.pendingRequests.increment()
        setExchangeTimer(exchange)
        loop.timers.setSooner(
            &housekeeping, at: loop.now + Limits.heldCheckNanoseconds,
            token: RecordKind.housekeeping.rawValue)
        tell(revision)
        // A slot may have come free before the board showed this request.
        if revision.it.firstHeld == exchange {
            serve(exchange.it.service, Int(exchange.it.revision))
        }
    }

    mutating func leaveQueue(_ exchange: Slot<Exchange>) {
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        let next = exchange.it.nextHeld
        let previous = exchange.it.previousHeld
        if let next { next.it.previousHeld = previous } else { revision.it.lastHeld = previous }
        if let previous { previous.it.nextHeld = next } else { revision.it.firstHeld = next }
        exchange.it.nextHeld = nil
        exchange.it.previousHeld = nil
        revision.it.heldCount -= 1
        heldCount -= 1
        meters.pendingRequests.decrement()
        shared.pending.leave()
        exchange.it.phase = .connecting
        tell(revision)
    }

    private func tell(_ revision: Slot<RevisionRuntime>) {
        revision.it.board.set(
            loop: index, waiting: revision.it.heldCount,
            oldestArrival: revision.it.firstHeld?.it.started ?? 0)
    }

    /// Gives slots to those who wait here, the longest first, until there is none left.
    private mutating func serve(_ service: Slot<ServiceRuntime>, _ revision: Int) {
        let runtime = service.it.revisions[revision]
        while let exchange = runtime.it.firstHeld {
            let choice = choose(for: exchange)
            if choice == .hold { return }
            leaveQueue(exchange)
            // Not chosen anew: with one waiter less there may be fewer slots to give.
            dispatch(exchange, granted: choice)
            if exchange.it.phase == .held { return }
        }
    }

    /// Every queue of this loop.
    mutating func serveHeld() {
        for snapshot in snapshots {
            let services = snapshot.it.services
            for place in 0..<services.count {
                let service = services[place]
                for revision in 0..<service.it.revisions.count
                where service.it.revisions[revision].it.firstHeld != nil {
                    serve(service, revision)
                }
            }
        }
    }

    /// A try has ended: whoever has waited longest, on whatever loop, gets the slot.
    mutating func slotFreed(_ exchange: Slot<Exchange>) {
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        guard let next = revision.it.board.nextLoop() else { return }
        if next == index {
            wantsHeldServed = true
        } else {
            shared.post(.slotFreed, to: next)
        }
    }
}
