// Is it alive, is it ready, what is it.

import Deployments
import Foundation
import Notation
import Traffic

extension AdminAPI {
    /// Ready: a plan is in force on every loop, and nothing else stands in the way.
    func ready() async -> AdminResponse {
        var reasons = await readiness()
        let plan = await director.currentPlan()
        let inForce = await director.generationInForce()
        if plan == nil {
            reasons.insert("no configuration has been loaded", at: 0)
        } else if inForce == 0 {
            reasons.insert("no plan is in force on every worker yet", at: 0)
        }
        return .json(
            .object([
                "status": reasons.isEmpty ? "ready" : "not_ready",
                "reasons": .array(reasons.map(JSONValue.string)), "generation": .count(inForce),
            ]), status: reasons.isEmpty ? 200 : 503)
    }

    func system() async -> AdminResponse {
        let uptime = max(0, Date().timeIntervalSince(startedAt))
        return .json(
            .object([
                "version": .string(version), "started_at": .string(timestamp(startedAt)),
                "uptime_seconds": .number((uptime * 1000).rounded() / 1000),
                "process_id": .count(ProcessInfo.processInfo.processIdentifier),
                "generation": .count(await director.currentPlan()?.generation ?? 0),
                "generation_in_force": .count(await director.generationInForce()),
            ]))
    }

    /// RFC 3339, UTC, milliseconds.
    func timestamp(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
