// What was wished before an operation began: the revision that had proved itself, and how many. An
// operation keeps it with its request; one that takes another's place keeps the other's, so that
// whatever fails or is cancelled in the end leads back to what last worked.

import Foundation
import State

struct EarlierWish: Codable, Equatable {
    /// The stable one.
    var revision: Int
    var desire: Desire
    var stopMessage: String?
    var manualScale: ManualScale?
    var minReplicas: Int
    /// Nil while no file has said anything else since.
    var applied: Applied?

    /// What was last applied, and from where.
    struct Applied: Codable, Equatable {
        var spec: DeploymentSpec?
        var source: String?
    }

    init(_ record: DeploymentRecord) {
        revision = record.revision
        desire = record.desire
        stopMessage = record.stopMessage
        manualScale = record.manualScale
        minReplicas = record.spec.scaling.minReplicas
    }

    /// The same for a change of the wish: what a file said before it.
    func over(_ old: DeploymentRecord, by new: DeploymentRecord) -> EarlierWish {
        guard applied == nil, old.lastApplied != new.lastApplied else { return self }
        var wish = self
        wish.applied = Applied(spec: old.lastApplied, source: old.appliedFrom)
        return wish
    }

    func target(at now: Date) -> Int { scale(at: now)?.replicas ?? minReplicas }

    func scale(at now: Date) -> ManualScale? {
        manualScale.flatMap { scale in scale.until.map { now < $0 } ?? true ? scale : nil }
    }
}

extension DeploymentEntry {
    /// What the next operation would go back to. While another is at work that is what the other
    /// would: what is wished now has not proved itself.
    var earlierWish: EarlierWish? {
        guard let operation else { return EarlierWish(record) }
        if var before = operation.asked?.before {
            // Whether it shall run is not a matter of revisions.
            (before.desire, before.stopMessage) = (record.desire, record.stopMessage)
            return before
        }
        return serves(record.revision) ? EarlierWish(record) : nil
    }

    /// Whether a replica of the revision is there to go on.
    func serves(_ revision: Int) -> Bool {
        rows.contains { $0.revision == revision && $0.wasReady && !$0.phase.isLeaving }
    }

    /// The wish goes back to the revision of an earlier one; its replicas stay as they are.
    ///
    /// - Returns: false when it is that already, or nobody knows the revision any more.
    mutating func goBack(to before: EarlierWish, at now: Date) throws -> Bool {
        guard before.revision != record.revision, let revision = revisions[before.revision] else {
            return false
        }
        record.spec = try revision.content.applied(to: record.spec)
        record.revision = before.revision
        lastProgress = now
        keepReplicas()
        takeBackApplied(before)
        return true
    }

    /// What a file said of what has gone back was not done: said again, it is tried again, and the
    /// next file is not taken for one that changes less than it does. Live fields are in force.
    private mutating func takeBackApplied(_ before: EarlierWish) {
        guard let applied = before.applied, var last = record.lastApplied else { return }
        guard let old = applied.spec else {
            (record.lastApplied, record.appliedFrom) = (nil, applied.source)
            return
        }
        for field in DeploymentFields.all where field.edit.makesRevision {
            field.copy(from: old, to: &last)
        }
        record.lastApplied = last
    }

    /// Replicas of the wanted revision that a restart has not reached count as restarted: none is
    /// replaced any more, and what was to take its place goes.
    mutating func keepReplicas() {
        for index in rows.indices
        where rows[index].revision == record.revision && rows[index].phase != .exited
            && rows[index].epoch != ReplicaRow.condemned
        {
            rows[index].epoch = record.epoch
        }
    }

    /// Undoes the wish of an operation.
    ///
    /// - Returns: whether another revision is wanted now, and what became of it in words.
    /// - Throws: `ControlError.illegal` for what cannot be undone.
    mutating func takeBack(
        _ operation: OperationRecord, by actor: String, at now: Date
    ) throws -> (hasRolledBack: Bool, words: String) {
        let action = operation.view.action
        if record.desire == .deleted || action == "stop" {
            throw ControlError.illegal(
                action: "cancel", status: status.word.rawValue,
                hint: record.desire == .deleted
                    ? "what is deleted is gone; create it anew"
                    : "its replicas end already; start it again: penstock start \(name)")
        }
        lastProgress = now
        guard let before = operation.asked?.before else {
            (record.desire, record.stopMessage) = (.stopped, "Its creation was cancelled.")
            return (false, "it is stopped; start it again: penstock start \(name)")
        }
        var words: [String] = []
        let hasRolledBack = try goBack(to: before, at: now)
        if hasRolledBack { words.append("revision \(before.revision) is wanted again") }
        keepReplicas()
        if record.desire != before.desire {
            (record.desire, record.stopMessage) = (before.desire, before.stopMessage)
            words.append("it is \(before.desire.rawValue) again")
        }
        let target = record.target(at: now)
        takeBackScale(before, now)
        if record.target(at: now) != target {
            words.append("\(Words.replicas(record.target(at: now))) as before")
        }
        return (hasRolledBack, words.joined(separator: ", "))
    }

    private mutating func takeBackScale(_ before: EarlierWish, _ now: Date) {
        var running = record
        running.desire = .running
        guard running.target(at: now) != before.target(at: now) else { return }
        record.manualScale = before.scale(at: now)
        record.spec.scaling.minReplicas = before.minReplicas
        if let old = before.applied?.spec {
            record.lastApplied?.scaling.minReplicas = old.scaling.minReplicas
        }
        // The other bound may have been moved since.
        let bound = max(record.spec.scaling.maxReplicas, before.minReplicas)
        record.spec.scaling.maxReplicas = bound
    }

    /// What was seen while something was stored stays seen.
    mutating func keepSeen(of present: DeploymentEntry?) {
        guard let present else { return }
        judge = present.judge
        artifact = present.artifact
        sightings = present.sightings
    }
}
