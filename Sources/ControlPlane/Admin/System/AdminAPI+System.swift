// Is it alive, is it ready, what is it, and a copy of what it remembers.

import Deployments
import Foundation
import Notation
import State
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
                "reasons": .texts(reasons), "generation": .count(inForce),
            ]), status: reasons.isEmpty ? 200 : 503)
    }

    func system() async throws -> AdminResponse {
        let uptime = max(0, date().timeIntervalSince(startedAt))
        return .json(
            .object([
                "version": .string(version), "started_at": .time(startedAt),
                "uptime_seconds": .number((uptime * 1000).rounded() / 1000),
                "process_id": .count(ProcessInfo.processInfo.processIdentifier),
                "generation": .count(await director.currentPlan()?.generation ?? 0),
                "generation_in_force": .count(await director.generationInForce()),
                "streams_open": .count(streams.count), "state": try await stateReport(),
            ]))
    }

    private func stateReport() async throws -> JSONValue? {
        guard let store = memory?.store else { return nil }
        return .object([
            "sequence": .count(try await store.sequence()),
            "read_only": .optional(store.readOnlyReason),
        ])
    }

    func backUp(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let store = try needed().store
        let stamp = date().formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        let name = try call.values(AdminRoutes.backup)[AdminRoutes.backupFile] ?? "\(stamp).db"
        let backups = BackupFolder(of: store)
        let file = try backups.place(for: name)
        if isDryRun {
            return .dryRun(.object(["file": .string(file.path(percentEncoded: false))]))
        }
        try backups.make()
        let report = try await store.backup(to: file)
        return .json(
            .object([
                "file": .string(file.path(percentEncoded: false)), "bytes": .count(report.bytes),
                "sequence": .count(report.sequence),
            ]), status: 201)
    }
}

extension InstanceCatalogue {
    var json: JSONValue {
        .object([
            "instance_types": .array(
                entries.map { entry in
                    let size = entry.resources
                    return .object([
                        "name": .string(entry.name),
                        "resources": .object([
                            "cpu": .decimal(Double(size.cpuMillis) / 1000),
                            "memory": .integer(size.memoryBytes), "gpu": .count(size.gpu),
                            "gpu_type": .optional(size.gpuType),
                        ]),
                    ])
                })
        ])
    }
}

extension Form<String> {
    /// One file's name: no way out of its folder.
    static let fileName = Form.matching(
        "^[A-Za-z0-9][A-Za-z0-9._-]*$", 1...128,
        rule: "letters, digits, '-', '_' and '.', a letter or digit first"
    ) { isName($0) }
}
