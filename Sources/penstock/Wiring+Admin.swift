// The admin port: opened before the gateway says it is ready, closed after the last answer. Its
// socket is kept beside the server, so that a process that takes over goes on with the same one.

import Admin
import Deployments
import Foundation
import Logging
import Reactor
import Settings
import State
import Traffic

/// A running admin port.
struct AdminPort: Sendable {
    let address: NetworkAddress
    let door: AdminDoor
    let isEncrypted: Bool
    let readiness: Readiness
    /// What its certificate and key were when it opened.
    let files: [Data]
    fileprivate let server: AdminServer
    fileprivate let serving: Task<Void, Never>

    var url: String { "\(isEncrypted ? "https" : "http")://\(address)" }

    /// As they are now; none without TLS.
    static func files(of settings: AdminSettings) -> [Data] {
        guard let tls = settings.tls else { return [] }
        // One that cannot be read is told where the certificate is checked.
        return [tls.certificate, tls.key].map {
            (try? Data(contentsOf: URL(filePath: $0))) ?? Data()
        }
    }

    /// Requests under way end well first.
    func stop(isSucceeded: Bool = false) async {
        server.stop(isSucceeded: isSucceeded)
        await serving.value
    }
}

/// What keeps the gateway from being ready, by topic.
actor Readiness {
    private var reasons: [String: String]

    /// A process that has taken over has been ready all the time.
    init(isStarting: Bool) {
        reasons = isStarting ? ["start": "starting: not all replicas are ready"] : [:]
    }

    func set(_ topic: String, _ reason: String?) {
        reasons[topic] = reason
    }

    var list: [String] { reasons.sorted { $0.key < $1.key }.map(\.value) }
}

extension Wiring {
    static func startAdmin(
        _ configuration: Configuration, _ store: Store, _ director: TrafficDirector,
        _ memory: AdminMemory, _ passed: Predecessor.Passed? = nil
    ) async throws -> AdminPort {
        let settings = configuration.admin
        let readiness = Readiness(isStarting: passed == nil)
        let certificate = settings.tls.map {
            AdminCertificate(certificate: $0.certificate, key: $0.key)
        }
        try certificate?.check()
        // Made, or known from the last start, before anybody can knock.
        _ = try store.adminToken(now: Date())
        let server = try AdminServer(
            options: AdminOptions(
                address: settings.listen, tls: certificate, allow: settings.allow),
            tokens: store, director: director, version: Version.text,
            logger: Logger(label: "penstock.admin"), memory: memory,
            readiness: { await readiness.list })
        let door = try AdminDoor(
            try adminSocket(settings.listen, passed), allow: settings.allow)
        let serving = Task {
            do {
                try await server.run(on: door.incoming)
            } catch {
                Logger(label: "penstock.admin").error(
                    "the admin port has ended", metadata: ["cause": "\(error)"])
            }
        }
        return AdminPort(
            address: bound(settings.listen, door.descriptor), door: door,
            isEncrypted: certificate != nil, readiness: readiness,
            files: AdminPort.files(of: settings), server: server, serving: serving)
    }

    /// With the port that the system chose for port 0.
    private static func bound(_ address: NetworkAddress, _ descriptor: Int32) -> NetworkAddress {
        guard case .tcp(let host, _) = address else { return address }
        return .tcp(host: host, port: Sockets.boundPort(descriptor))
    }

    /// The socket of the process that is succeeded, if the port is still the same, or a new one.
    private static func adminSocket(
        _ address: NetworkAddress, _ passed: Predecessor.Passed?
    ) throws -> Int32 {
        if let admin = passed?.admin {
            if admin.address == address { return admin.descriptor }
            Sockets.close(admin.descriptor)
        }
        guard case .tcp(let host, let port) = address else {
            throw AdminError.unsupportedAddress(address)
        }
        do {
            var found = SocketAddress(numeric: host, port: port)
            if found == nil { found = try HostLookup.addresses(of: host).first?.with(port: port) }
            guard let found else { throw AdminError.unsupportedAddress(address) }
            return try Sockets.listen(on: found, isExclusive: true)
        } catch {
            throw AdminError.cannotListen(address, reason: "\(error)")
        }
    }
}
