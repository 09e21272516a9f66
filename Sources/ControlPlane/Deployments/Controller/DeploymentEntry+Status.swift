// What a deployment's status is made of, gathered from what is stored and what was seen.

import Foundation
import State

extension DeploymentEntry {
    func facts(at now: Date, readOnlyBecause: String?) -> StatusFacts {
        var facts = StatusFacts(
            wish(at: now), rows: rows, sightings: sightings,
            unreachableSince: memory.unreachableSince, now: now)
        facts.generation = generation
        facts.minReplicas =
            record.manualScale == nil ? record.spec.scaling.minReplicas : facts.target
        facts.targetReason = targetReason(at: now)
        facts.degradation = judge.verdict
        facts.capacity = capacity
        facts.artifact = artifact
        facts.isMonitored = record.spec.isMonitored
        facts.readOnlyBecause = readOnlyBecause
        facts.progress = progress
        return facts
    }

    private var progress: Verdict? {
        guard let operation else { return nil }
        if operation.state == .failed {
            return Verdict(
                false, "OperationFailed",
                "\(operation.view.action): \(operation.error?.message ?? "")")
        }
        guard !operation.state.isFinished else { return nil }
        return Verdict(
            true, "OperationRunning", "\(operation.view.action): \(operation.progress.message)")
    }
}
