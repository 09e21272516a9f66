// What a person reads once everything is ready: where to send requests, one that works when
// pasted, and where to read on.

import AsyncHTTPClient
import CLinux
import Deployments
import Foundation
import Logging
import NIOCore
import Proxying
import Replicas
import Settings
import State
import Traffic

extension Wiring {
    /// Waits for the replicas, then tells the service manager and whoever looks at the terminal.
    func welcome() async {
        let isComplete = await replicasAreReady(within: .seconds(60))
        guard !Task.isCancelled else { return }
        if !isComplete { await tellWhatIsMissing() }
        await admin.readiness.set("start", nil)
        _ = penstock_notify_ready()
        log.notice("serving", metadata: ["listeners": "\(gatewayURLs.joined(separator: " "))"])
        var lines = gatewayURLs.map { "gateway    \($0)" }
        lines.append("admin      \(admin.url) (token: \(tokenPath))")
        lines.append(contentsOf: await deploymentLines())
        lines.append("")
        lines.append(await example())
        lines.append("")
        lines.append("read on    docs/operating.md; penstock status --config \(options.file)")
        lines.append("Ctrl-C drains and ends.")
        Terminal.print(lines.joined(separator: "\n"))
    }

    /// Every deployment has its replicas in the rotation.
    private func replicasAreReady(within patience: Duration) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while ContinuousClock.now < deadline, !Task.isCancelled {
            let ready = await readyReplicas()
            let isComplete = configuration.deployments.allSatisfy { deployment in
                ready[deployment.name, default: 0] >= deployment.scaling.minReplicas
            }
            if isComplete { return true }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func tellWhatIsMissing() async {
        for deployment in await runner.snapshot() {
            for replica in deployment.replicas where replica.state != .ready {
                log.warning(
                    "a replica is not ready; serving without it",
                    metadata: [
                        "replica": "\(replica.name)", "state": "\(replica.state)",
                        "reason": "\(replica.reason)", "output": "\(replica.lastLines.last ?? "")",
                    ])
            }
        }
    }

    private func readyReplicas() async -> [String: Int] {
        let services = await director.currentPlan()?.services ?? []
        return Dictionary(
            services.map { ($0.name, $0.revisions.reduce(0) { $0 + $1.endpoints.count }) },
            uniquingKeysWith: { first, _ in first })
    }

    private func deploymentLines() async -> [String] {
        let ready = await readyReplicas()
        return configuration.deployments.map { deployment in
            let count = ready[deployment.name, default: 0]
            return "\(deployment.name): \(count) of \(deployment.scaling.minReplicas) "
                + "replicas ready at \(baseURL)/\(deployment.name)/"
        }
    }

    private var tokenPath: String {
        store.directory.appending(path: "admin.token").path(percentEncoded: false)
    }

    private var gatewayURLs: [String] { plane.boundAddresses.map(Wiring.url) }

    private var baseURL: String { gatewayURLs.first ?? "http://127.0.0.1:8080" }

    /// A wildcard is where one listens, not where one connects to.
    static func url(_ address: NetworkAddress) -> String {
        switch address {
        case .tcp(host: "0.0.0.0", let port): "http://127.0.0.1:\(port)"
        case .tcp(host: "::", let port): "http://[::1]:\(port)"
        case .tcp: "http://\(address)"
        case .unix: "\(address)"
        }
    }

    /// A whole command that works when pasted: a prediction, else the first service's root.
    private func example() async -> String {
        for deployment in configuration.deployments {
            let model = "\(baseURL)/\(deployment.name)/v2/models/\(deployment.model)"
            if let body = await ExampleInference.body(from: model) {
                return "curl -s \(model)/infer -H 'content-type: application/json' -d '\(body)'"
            }
        }
        let routes = configuration.services.flatMap(\.routes)
        let path = routes.first { $0.path != nil && $0.host == nil }?.path ?? "/"
        if case .unix(let socket) = plane.boundAddresses.first {
            return "curl -i --unix-socket \(socket) http://localhost\(path)"
        }
        return "curl -i \(baseURL)\(path)"
    }
}
