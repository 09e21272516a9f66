// Transition, commit, effects: for one deployment, again until nothing changes. What cannot be
// stored has not happened, and is tried again.

import Foundation
import Logging
import State

extension Controller {
    var director: TrafficDirector { surroundings.director }

    /// Brings one deployment as far as what was seen allows.
    func reconcile(_ name: String) async {
        await lane.enter()
        for _ in 0..<Limits.stepsInPass {
            guard await step(name) else { break }
        }
        carryOut(name)
        await lane.leave()
        wake(name)
        beginQueued(name)
    }

    /// One transition; whether another may follow.
    private func step(_ name: String) async -> Bool {
        guard let entry = entries[name] else { return false }
        let now = surroundings.now()
        do {
            let transition = try Transition(
                entry, pool: pool, at: now, readOnlyBecause: readOnlyBecause)
            guard let transaction = transition.transaction else {
                take(transition, nil)
                return false
            }
            guard let commit = await commit(transaction) else {
                if readOnlyBecause == nil { retry(name, at: now) } else { tellReadOnly(name, now) }
                return false
            }
            take(transition, commit)
            tell(transition)
            return !transition.events.isEmpty && entries[name] != nil
        } catch {
            logger.error(
                "a transition cannot be made",
                metadata: ["deployment": "\(name)", "cause": "\(error)"])
            return false
        }
    }

    /// What was refused, not what could not be written: the others go on, and this one is looked at
    /// again in a moment, with what is stored by then.
    private func retry(_ name: String, at now: Date) {
        let moment = now.addingTimeInterval(Limits.commitPause / .seconds(1))
        guard let wake = entries[name].map(\.wake) else { return }
        entries[name]?.wake = min(wake ?? moment, moment)
    }

    /// The status says so, although it cannot be stored either.
    private func tellReadOnly(_ name: String, _ now: Date) {
        guard let entry = entries[name] else { return }
        let facts = entry.facts(at: now, readOnlyBecause: readOnlyBecause)
        entries[name]?.status = facts.status(after: entry.status)
    }

    /// Nil when it could not be stored: then nothing has happened, and it is tried again.
    func commit(_ transaction: Transaction) async -> Commit? {
        do {
            let commit = try await store(transaction)
            if readOnlyBecause != nil {
                readOnlyBecause = nil
                logger.notice("changes are stored again")
                for name in entries.keys { dirty.insert(name) }
            }
            return commit
        } catch let error as StateError where error.isUnavailable {
            noteReadOnly("\(error)", isPlanned: error == .handingOver)
        } catch {
            logger.error("a transition is refused", metadata: ["cause": "\(error)"])
        }
        return nil
    }

    /// Every deployment says so, and all are looked at again until something could be stored.
    func noteReadOnly(_ reason: String, isPlanned: Bool = false) {
        if readOnlyBecause == nil {
            logger.log(
                level: isPlanned ? .debug : .error,
                "changes cannot be stored; everything stays as it is",
                metadata: ["cause": "\(reason)"])
        }
        readOnlyBecause = reason
        dirty.formUnion(entries.keys)
        bell.yield()
    }

    func store(_ transaction: Transaction) async throws -> Commit {
        commits.begins()
        // One that is refused has a moment after it as well.
        defer { commits.ended() }
        return try await surroundings.store.commit(transaction)
    }

    /// Takes over the stored half of what the transition leads to. What was seen meanwhile stays.
    private func take(_ transition: Transition, _ commit: Commit?) {
        let name = transition.entry.name
        guard let now = entries[name] else { return }
        pool = transition.pool
        if transition.isOver, commit != nil { return forget(now) }
        var entry = transition.entry
        // What is not stored must not be taken for stored.
        if commit == nil { entry.memory = now.memory }
        entry.judge = now.judge
        entry.artifact = now.artifact
        for (id, sighting) in now.sightings where entry.rowVersions[id] != nil {
            entry.sightings[id] = sighting
        }
        commit?.documents.forEach { take($0, into: &entry) }
        for row in entry.rows where entry.sightings[row.id] == nil {
            var sighting = ReplicaSighting()
            (sighting.process, sighting.role) = (.absent, .absent)
            entry.sightings[row.id] = sighting
        }
        entries[name] = entry
        for id in transition.removed { (places[id], processes[id]) = (nil, nil) }
        route(name)
        if let operation = entry.operation, operation.state.isFinished {
            entries[name]?.operation = nil
        }
    }

    func take(_ document: Document, into entry: inout DeploymentEntry) {
        switch document.kind {
        case .deployment: entry.takeUp(document)
        case .replica:
            let id = document.name.split(separator: "/").last.map(String.init) ?? ""
            entry.rowVersions[id] = document.version
        case .operation where document.name == entry.operation?.id:
            entry.operation?.version = document.version
        default: break
        }
    }

    private func tell(_ transition: Transition) {
        for event in transition.events {
            var metadata: Logger.Metadata = ["replica": "\(event.replica)"]
            if !event.reason.isEmpty { metadata["reason"] = "\(event.reason)" }
            switch event.to {
            case .failed:
                metadata["pid"] = "\(processes[event.replica] ?? 0)"
                logger.warning("replica ended; it is started again", metadata: metadata)
            case .reserved, .loading, .warming: break
            default: logger.info("replica \(event.to.eventWords)", metadata: metadata)
            }
        }
    }

    /// A tombstone keeps what it was; its name is free.
    private func forget(_ entry: DeploymentEntry) {
        for id in entry.rowVersions.keys {
            (places[id], processes[id]) = (nil, nil)
            unconfirmed.remove(id)
        }
        entries[entry.name] = nil
        isRoutingDirty = true
        logger.notice("deleted", metadata: ["deployment": "\(entry.name)"])
    }
}
