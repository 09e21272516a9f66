// Deployments: the controller that keeps them, and what it needs to know of the network. Its
// proofs go through a listener of the gateway's own that only this user can reach.

import AsyncHTTPClient
import Deployments
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Proxying
import Replicas
import Settings
import State
import Traffic

extension Wiring {
    static func makeController(
        _ store: Store, _ director: TrafficDirector, _ runtime: ProcessRuntime
    ) -> Controller {
        let client = ReplicaClient()
        let proofs = proofAddress(runtime)
        let clock = SteadyClock()
        let surroundings = ControllerSurroundings(
            store: store, runtime: runtime, registry: StoredModels(store: store),
            variables: StoredVariables(store: store), director: director,
            notices: .unix(path: noticePath(runtime)),
            probe: { address, path in
                await client.fault(at: address, path, host: "localhost")
            },
            prove: { host, path in await client.fault(at: proofs, path, host: host) },
            deletedAt: { name in
                // Without an answer nothing is said of it: the name is not there either way.
                try? await store.tombstone(DocumentKey(.deployment, name))?.deletedAt
            },
            now: { clock.now })
        return Controller(surroundings, logger: Logger(label: "penstock.deployments"))
    }

    /// Where the gateway listens for the controller's own requests.
    static func proofAddress(_ runtime: ProcessRuntime) -> NetworkAddress {
        .unix(path: runtime.files.socket(".proof"))
    }

    static func noticePath(_ runtime: ProcessRuntime) -> String {
        runtime.files.socket(".notices")
    }

    /// The gateway as the file has it, and the door for proofs.
    static func withProofs(_ gateway: GatewayPlan, _ runtime: ProcessRuntime) -> GatewayPlan {
        var gateway = gateway
        gateway.listeners.append(ListenerPlan(address: proofAddress(runtime)))
        return gateway
    }
}

/// Wall time that never jumps while the program runs: a deadline set by it comes when it should.
private struct SteadyClock: Sendable {
    private let date = Date()
    private let start = ContinuousClock.now

    var now: Date {
        let passed = (ContinuousClock.now - start).components
        return date.addingTimeInterval(
            TimeInterval(passed.seconds) + TimeInterval(passed.attoseconds) / 1e18)
    }
}

/// One request, one judgement: of a replica where it listens, or of one behind the gateway.
private struct ReplicaClient: Sendable {
    /// Nil when the answer is good.
    func fault(at address: NetworkAddress, _ path: String, host: String) async -> String? {
        guard let base = Self.base(address) else { return "\(address) is no address" }
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "host", value: host)
        request.headers.add(name: "connection", value: "close")
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(2))
            return response.status.code == 200 ? nil : "status \(response.status.code)"
        } catch {
            return Self.words(error, at: address)
        }
    }

    private static func words(_ error: any Error, at address: NetworkAddress) -> String {
        switch error as? HTTPClientError {
        case .deadlineExceeded, .readTimeout: return "no answer within 2 s"
        case .remoteConnectionClosed: return "closed without an answer"
        case .connectTimeout: return "nothing listens at \(address)"
        default: break
        }
        switch error {
        case is IOError, is NIOConnectionError: return "nothing listens at \(address)"
        case is HTTPParserError: return "its answer is no HTTP"
        default: return "\(error)"
        }
    }

    private static func base(_ address: NetworkAddress) -> String? {
        switch address {
        case .unix(let path):
            path.addingPercentEncoding(withAllowedCharacters: .alphanumerics).map {
                "http+unix://\($0)"
            }
        case .tcp: "http://\(address)"
        }
    }
}
