// SIGHUP: the file again, whole or not at all, told in one line either way.

import CLinux
import Deployments
import Foundation
import Logging
import Proxying
import Settings
import Traffic

extension Wiring {
    mutating func reload() async {
        _ = penstock_notify_reloading()
        defer { _ = penstock_notify_ready() }
        plane.reopenAccessLog()
        do {
            var next = try options.load()
            for difference in keepWhatIsFixed(in: &next) {
                log.warning("\(difference) changes with a restart only")
            }
            try await controller.check(next.deployments)
            try await director.load(
                gateway: Wiring.withProofs(next.gateway, runtime), services: next.services)
            configuration = next
            try await controller.apply(next.deployments)
        } catch {
            log.error(
                "not reloaded; everything stays as it was",
                metadata: ["cause": "\(Self.oneLine(error))"])
            return
        }
        log.notice(
            "reloaded",
            metadata: [
                "services": "\(configuration.services.count)",
                "deployments": "\(configuration.deployments.count)",
            ])
    }

    /// Puts back what only a start can change; the names of what differed.
    private func keepWhatIsFixed(in next: inout Configuration) -> [String] {
        var differences: [String] = []
        func keep<Value: Equatable>(
            _ name: String, _ place: WritableKeyPath<Configuration, Value>
        ) {
            guard next[keyPath: place] != configuration[keyPath: place] else { return }
            differences.append(name)
            next[keyPath: place] = configuration[keyPath: place]
        }
        keep("gateway.workers", \.gateway.workers)
        keep("admin", \.admin)
        if AdminPort.files(of: configuration.admin) != admin.files {
            differences.append("the certificate of admin.tls")
        }
        keep("state", \.statePath)
        keep("log", \.log)
        next.gateway.limits.connections = Wiring.connections(next, nil)
        return differences
    }

    static func oneLine(_ error: any Error) -> String {
        let text = (error as? Failure)?.message ?? "\(error)"
        let lines = text.split(separator: "\n")
        guard let first = lines.first, lines.count > 1 else { return text }
        return "\(first) (and \(lines.count - 1) more; penstock check tells them all)"
    }
}
