// The conditions: each answers one question from the facts alone. What nobody has asked about yet
// is Unknown rather than good.

extension StatusFacts {
    var findings: [Finding] {
        var list = [available, progressing, degraded]
        list.append(finding(.capacityOk, capacity, unasked: "NotPlanned"))
        list.append(finding(.artifactVerified, artifact, unasked: "NotVerified"))
        list.append(routingSynced)
        list.append(scalingActive)
        list.append(monitoringEnabled)
        list.append(finding(.driftOk, drift, unasked: "NotCompared"))
        if let readOnlyBecause {
            list.append(
                Finding(
                    kind: .readOnly, truth: .yes, reason: "StateNotWritable",
                    message: "changes are refused and replicas left as they are: "
                        + readOnlyBecause))
        }
        return list
    }

    private var available: Finding {
        let needed = max(1, minAvailable)
        let isServing = desire == .running && reachable.count >= needed
        let isAtZero = desire == .running && target == 0 && minReplicas == 0
        let reason =
            isServing
            ? "MinimumReady"
            : isAtZero
                ? "ScaledToZero"
                : desire == .running ? "TooFewReady" : desire == .stopped ? "Stopped" : "Deleted"
        return Finding(
            kind: .available, truth: isServing || isAtZero ? .yes : .no, reason: reason,
            message: "\(reachable.count) ready, \(needed) needed")
    }

    private var progressing: Finding {
        if let progress {
            return Finding(
                kind: .progressing, truth: progress.isGood ? .yes : .no, reason: progress.reason,
                message: progress.message)
        }
        return Finding(
            kind: .progressing, truth: .no, reason: "Settled", message: "nothing is under way")
    }

    private var degraded: Finding {
        guard desire == .running else {
            return Finding(
                kind: .degraded, truth: .no, reason: "NotRunning", message: "it is not meant to run"
            )
        }
        return Finding(
            kind: .degraded, truth: degradation.isDegraded ? .yes : .no,
            reason: degradation.reason, message: degradation.message)
    }

    private var routingSynced: Finding {
        Finding(
            kind: .routingSynced, truth: isRoutingSynced ? .yes : .no,
            reason: isRoutingSynced ? "InForce" : "Pending",
            message: isRoutingSynced
                ? "every worker routes by the newest plan"
                : "some worker has not taken up the newest plan yet")
    }

    private var scalingActive: Finding {
        Finding(
            kind: .scalingActive, truth: .no, reason: targetReason.reason,
            message: targetReason.message)
    }

    private var monitoringEnabled: Finding {
        Finding(
            kind: .monitoringEnabled, truth: isMonitored ? .yes : .no,
            reason: isMonitored ? "Enabled" : "Disabled",
            message: isMonitored ? "" : "switched off by the deployment")
    }

    private func finding(
        _ kind: DeploymentCondition.Kind, _ verdict: Verdict?, unasked: String
    ) -> Finding {
        guard let verdict else {
            return Finding(kind: kind, truth: .unknown, reason: unasked, message: "")
        }
        return Finding(
            kind: kind, truth: verdict.isGood ? .yes : .no, reason: verdict.reason,
            message: verdict.message)
    }
}
