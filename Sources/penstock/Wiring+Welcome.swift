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
        // Whoever looks at a terminal has been told before.
        if predecessor != nil { return await tellTakenOver() }
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

    private func tellTakenOver() async {
        _ = penstock_notify_ready()
        log.notice(
            "serving; took over from the process before",
            metadata: ["listeners": "\(gatewayURLs.joined(separator: " "))"])
    }

    /// Every deployment that shall run has its replicas in the rotation.
    private func replicasAreReady(within patience: Duration) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while ContinuousClock.now < deadline, !Task.isCancelled {
            if await controller.hasLooked,
                await deployments().allSatisfy({ $0.status.replicas.ready >= $0.target })
            {
                return true
            }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func tellWhatIsMissing() async {
        for deployment in await deployments() {
            // Deleted meanwhile: nothing is missing.
            for replica in (try? await controller.replicas(of: deployment.spec.name)) ?? []
            where replica.phase != .ready && !replica.phase.isLeaving {
                log.warning(
                    "a replica is not ready; serving without it",
                    metadata: [
                        "replica": "\(replica.name)", "state": "\(replica.phase)",
                        "reason": "\(replica.cause ?? replica.waitingFor ?? "")",
                    ])
            }
        }
    }

    private func deployments() async -> [DeploymentView] {
        // Reading what is in memory does not fail.
        (try? await controller.list()) ?? []
    }

    private func deploymentLines() async -> [String] {
        await deployments().map { deployment in
            let name = deployment.spec.name
            return deployment.desire == .running
                ? "\(name): \(deployment.status.replicas.ready) of \(deployment.target) "
                    + "replicas ready at \(baseURL)/\(name)/"
                : "\(name): \(deployment.status.word.rawValue)"
        }
    }

    private var tokenPath: String {
        store.directory.appending(path: "admin.token").path(percentEncoded: false)
    }

    private var gatewayURLs: [String] { listeners.map(Wiring.url) }

    /// Where clients can connect: the door for proofs is none of theirs.
    private var listeners: [NetworkAddress] {
        plane.boundAddresses.filter { $0 != Wiring.proofAddress(runtime) }
    }

    private var baseURL: String { gatewayURLs.first ?? "http://127.0.0.1:8080" }

    /// Of the first listener that a client elsewhere on this machine can reach.
    static func clientURL(_ addresses: [NetworkAddress]) -> String? {
        addresses.first { address in
            if case .tcp = address { true } else { false }
        }.map(Wiring.url)
    }

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
        let specs = await deployments().filter { $0.desire == .running }.map(\.spec)
        for spec in specs {
            let url = "\(baseURL)/\(spec.name)/"
            if let line = await ExampleInference.inference(url, model: spec.model) { return line }
        }
        if let spec = specs.first {
            return ExampleInference.health(
                "\(baseURL)/\(spec.name)/", spec.loadBalancer.healthPath)
        }
        let routes = configuration.services.flatMap(\.routes)
        let path = routes.first { $0.path != nil && $0.host == nil }?.path ?? "/"
        if case .unix(let socket) = listeners.first {
            return "curl -i --unix-socket \(socket) http://localhost\(path)"
        }
        return "curl -i \(baseURL)\(path)"
    }
}
