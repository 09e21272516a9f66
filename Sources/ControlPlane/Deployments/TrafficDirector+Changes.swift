// What people change: splits and drains. Each returns the generation once every loop works by it.
// What could not be stored is not applied.

import Logging
import State
package import Traffic

extension TrafficDirector {
    /// Replaces the whole split of a service; revisions not named get nothing.
    ///
    /// - Parameter weights: thousandths by revision, 1000 in all.
    /// - Returns: the generation in force on every loop.
    package func shift(
        service name: String, to weights: [String: Int], by actor: String = "system"
    ) async throws -> UInt64 {
        try await carryOut(.shift(service: name, weights), by: actor)
    }

    /// Goes back to the split of the file.
    package func clearShift(
        service name: String, by actor: String = "system"
    ) async throws -> UInt64 {
        try await carryOut(.clear(service: name), by: actor)
    }

    /// Takes an endpoint out of the rotation, or back in; requests under way end well.
    package func setDrained(
        service name: String, address: String, _ isDrained: Bool, by actor: String = "system"
    ) async throws -> UInt64 {
        try await carryOut(.drain(service: name, address: address, isDrained), by: actor)
    }

    /// The plan that a change would make, after all its checks; nothing is stored or applied.
    package func trying(_ wish: TrafficWish) throws -> TrafficPlan {
        let (next, _) = try edited(by: wish)
        return try next.plan(generation: generation)
    }

    private func carryOut(_ wish: TrafficWish, by actor: String) async throws -> UInt64 {
        let (next, edit) = try edited(by: wish)
        guard let edit else { return try await confirmed(generation) }
        return try await change(next, edit, as: wish.action, by: actor)
    }

    /// The sources as a wish wants them; no edit when they are so already.
    private func edited(by wish: TrafficWish) throws -> (TrafficSources, TrafficEdit?) {
        switch wish {
        case .shift(let name, let weights):
            var (next, service) = try written(name)
            try validate(weights, for: service)
            let whole = service.split.mapValues { _ in 0 }.merging(weights) { $1 }
            let override = TrafficOverride(
                service: name, weights: whole, fileFingerprint: service.splitFingerprint,
                createdAt: now())
            next.overrides[name] = override
            return (next, .setSplit(override))
        case .clear(let name):
            var (next, _) = try written(name)
            let isSet = next.overrides.removeValue(forKey: name) != nil
            return (next, isSet ? .clearSplit(service: name) : nil)
        case .drain(let name, let address, let isDrained):
            return try drained(name, address, isDrained)
        }
    }

    private func drained(
        _ name: String, _ given: String, _ isDrained: Bool
    ) throws -> (TrafficSources, TrafficEdit?) {
        var (next, service) = try written(name)
        let address = NetworkAddress(given)?.description ?? given
        guard let fingerprint = service.drainFingerprint(of: address) else {
            throw TrafficDirectorError.unknownEndpoint(
                service: name, address: address,
                known: service.revisions.flatMap(\.endpoints).map(\.address.description))
        }
        let key = TrafficSources.EndpointKey(service: name, address: address)
        if service.isDrained(address) == isDrained {
            // Nothing is left that differs from what is written: forget rather than repeat it.
            let isSet = next.drains.removeValue(forKey: key) != nil
            return (next, isSet ? .clearDrain(service: name, address: address) : nil)
        }
        let drain = EndpointDrain(
            service: name, address: address, isDrained: isDrained, fileFingerprint: fingerprint,
            createdAt: now())
        next.drains[key] = drain
        return (next, .setDrain(drain))
    }

    private func written(_ name: String) throws -> (TrafficSources, ServicePlan) {
        guard let sources else { throw TrafficDirectorError.notLoaded }
        guard let service = sources.written(name) else {
            throw TrafficDirectorError.unknownService(
                name, known: (sources.file + sources.managed).map(\.name))
        }
        return (sources, service)
    }

    private func validate(_ weights: [String: Int], for service: ServicePlan) throws {
        let known = service.revisions.map(\.name)
        for (revision, thousandths) in weights.sorted(by: { $0.key < $1.key }) {
            guard known.contains(revision) else {
                throw TrafficDirectorError.unknownRevision(
                    service: service.name, revision: revision, known: known)
            }
            guard (0...1000).contains(thousandths) else {
                throw TrafficDirectorError.outOfRange(
                    service: service.name, revision: revision, thousandths: thousandths)
            }
        }
        let sum = weights.values.reduce(0, +)
        guard sum == 1000 else {
            throw TrafficDirectorError.doesNotSum(service: service.name, thousandths: sum)
        }
    }

    /// Store, then apply, then wait.
    private func change(
        _ next: TrafficSources, _ edit: TrafficEdit, as action: ChangeAction, by actor: String
    ) async throws -> UInt64 {
        let issued = try next.plan(generation: generation + 1)
        let entry = record(edit, as: action, by: actor)
        do {
            try store.commit(
                TrafficTransition(
                    generation: issued.generation, at: now(), edits: [edit], changes: [entry]))
        } catch {
            logger.error(
                "change refused: not stored",
                metadata: ["target": "\(entry.target)", "error": "\(error)"])
            throw TrafficDirectorError.notStored(reason: "\(error)")
        }
        remember(issued, from: next)
        do {
            try gate.apply(issued)
        } catch {
            throw TrafficDirectorError.notApplied(
                generation: issued.generation, reason: "\(error)")
        }
        logger.notice(
            "traffic changed",
            metadata: [
                "target": "\(entry.target)", "action": "\(entry.action)", "actor": "\(actor)",
                "generation": "\(issued.generation)",
            ])
        return try await confirmed(issued.generation)
    }

    /// Loops swap plans between two batches of events, so the first look is often enough.
    private func confirmed(_ wanted: UInt64) async throws -> UInt64 {
        let deadline = ContinuousClock.now.advanced(by: patience)
        var pause = Duration.milliseconds(1)
        while true {
            let inForce = gate.generationInForce()
            if inForce >= wanted { return wanted }
            guard ContinuousClock.now < deadline else {
                throw TrafficDirectorError.notYetInForce(generation: wanted, inForce: inForce)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    func record(
        _ edit: TrafficEdit, as action: ChangeAction, by actor: String
    ) -> ChangeRecord {
        let (target, detail): (String, [String: String]) =
            switch edit {
            case .setSplit(let override):
                (override.service, override.weights.mapValues(String.init))
            case .clearSplit(let service): (service, [:])
            case .setDrain(let drain): (drain.service, ["address": drain.address])
            case .clearDrain(let service, let address): (service, ["address": address])
            }
        return ChangeRecord(
            at: now(), actor: actor, action: action.rawValue, target: target, detail: detail)
    }
}

/// A change that somebody wants.
package enum TrafficWish: Sendable {
    /// Thousandths by revision.
    case shift(service: String, [String: Int])
    case clear(service: String)
    case drain(service: String, address: String, Bool)

    var action: ChangeAction {
        switch self {
        case .shift: .setSplit
        case .clear: .clearSplit
        case .drain(_, _, let isDrained): isDrained ? .drain : .undrain
        }
    }
}

/// What the audit trail calls a change.
enum ChangeAction: String {
    case setSplit = "traffic.set"
    case clearSplit = "traffic.clear"
    case drain = "endpoint.drain"
    case undrain = "endpoint.undrain"
    /// Set through the API over a value that the file has changed since.
    case outdated = "override.drop"
}
