// From a wish and the facts to a plan. Pure: the same function answers `:plan`, a dry run and the
// controller's own question whether a change may begin.

import Notation

package struct ChangePlanner: Sendable {
    package var facts: PlanFacts

    package init(facts: PlanFacts) {
        self.facts = facts
    }

    /// - Parameters:
    ///   - old: nil when it is created.
    ///   - new: nil when it goes.
    ///   - replacesAll: also without a difference: a restart, a roll-back.
    ///   - replicas: how many there shall be; nil is what there should be now.
    package func plan(
        _ action: String, from old: DeploymentSpec?, to new: DeploymentSpec?,
        replacesAll: Bool = false, replicas: Int? = nil
    ) -> ChangePlan {
        var plan = ChangePlan(action: action)
        compare(old, new, into: &plan)
        let wanted = replicas ?? (old == nil ? new?.scaling.minReplicas : facts.target) ?? 0
        plan.replicas.now = facts.running
        plan.replicas.after = new == nil || !facts.isMeantToRun ? 0 : wanted
        let replaces = (plan.makesRevision && old != nil) || replacesAll
        plan.replaced = replaces && facts.isMeantToRun ? min(facts.running, wanted) : 0
        plan.replicas.peak = peak(plan, new)
        if let new { checkRoom(new, &plan) }
        expect(old ?? new, new, &plan)
        if let new { plan.warnings += SpecLint.warnings(new, facts.room) }
        if let new, let replicas { warnOfBounds(replicas, new, &plan) }
        return plan
    }

    /// A number set by hand holds, whatever the settings say; who sets it should know.
    private func warnOfBounds(_ wanted: Int, _ new: DeploymentSpec, _ plan: inout ChangePlan) {
        let scaling = new.scaling
        let bound: (words: String, field: String)? =
            if wanted < scaling.minReplicas {
                ("fewer than min_replicas, \(scaling.minReplicas)", "min_replicas")
            } else if wanted > scaling.maxReplicas {
                ("more than max_replicas, \(scaling.maxReplicas)", "max_replicas")
            } else { nil }
        guard let bound else { return }
        plan.warnings.append(
            ChangePlan.Warning(
                "OUTSIDE_SCALING_BOUNDS",
                "\(Counted.words(wanted, "replica")) by hand are \(bound.words); they hold until "
                    + "'penstock scale \(new.name) --auto'", field: "scaling_config.\(bound.field)")
        )
    }

    private func compare(
        _ old: DeploymentSpec?, _ new: DeploymentSpec?, into plan: inout ChangePlan
    ) {
        guard let new else { return }
        guard let old else {
            plan.makesRevision = true
            return
        }
        plan.differences = FieldDifference.between(old, and: new)
        plan.summary = EditSummary(from: old, to: new)
        plan.makesRevision = plan.summary.makesRevision
    }

    private func peak(_ plan: ChangePlan, _ new: DeploymentSpec?) -> Int {
        let most = max(plan.replicas.now, plan.replicas.after)
        guard plan.replaced > 0, let new else { return most }
        let surge = new.strategy.maxSurge.of(plan.replicas.after, roundingUp: true)
        return max(most, plan.replicas.after + max(surge, surge == 0 ? 0 : 1))
    }

    // Time.

    private func expect(
        _ old: DeploymentSpec?, _ new: DeploymentSpec?, _ plan: inout ChangePlan
    ) {
        let (now, after) = (plan.replicas.now, plan.replicas.after)
        if plan.replaced == 0, after <= now {
            if after < now, let old {
                plan.steps.append("\(Counted.words(now - after, "replica")) leave the routing plan")
                plan.steps.append(
                    "their requests end (at most \(old.lifecycle.drain.spelled)), then they stop")
                plan.expected.time = old.lifecycle.drain + old.lifecycle.grace
                plan.expected.basis = "at most the time to drain and to stop"
            } else if !plan.summary.live.isEmpty {
                plan.steps.append("in force at once; no replica changes")
            }
            return
        }
        guard let new else { return }
        let batches = batches(plan, new)
        plan.steps += steps(plan, new, batches)
        guard let load = facts.loadTime else {
            plan.expected.time = nil
            plan.expected.basis = "no replica of it has been seen to become ready yet"
            return
        }
        let settle = plan.replaced > 0 ? new.strategy.minHealthy : .zero
        plan.expected.time = (load + settle) * batches
        plan.expected.basis =
            "\(load.spelled) a start, learned from \(Counted.words(facts.startsSeen, "start"))"
    }

    private func batches(_ plan: ChangePlan, _ new: DeploymentSpec) -> Int {
        guard plan.replaced > 0 else { return 1 }
        let after = plan.replicas.after
        let atOnce =
            new.strategy.maxSurge.of(after, roundingUp: true)
            + new.strategy.maxUnavailable.of(after, roundingUp: false)
        return (after + max(1, atOnce) - 1) / max(1, atOnce)
    }

    private func steps(_ plan: ChangePlan, _ new: DeploymentSpec, _ batches: Int) -> [String] {
        let after = plan.replicas.after
        guard plan.replaced > 0 else {
            let more = after - plan.replicas.now
            return ["\(Counted.words(more, "replica")) start, are proven ready, and join the plan"]
        }
        let start =
            batches == 1
            ? "\(Counted.words(after, "new replica")) start and are proven ready"
            : "\(Counted.words(after, "new replica")) start in \(batches) batches, each proven"
        return [
            start, "the routing plan moves to them, acknowledged by every worker",
            "\(Counted.words(plan.replicas.now, "old replica")) drain and stop",
        ]
    }
}

/// Small words for plans.
enum Counted {
    static func words(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
