// What a plan needs of certificates, read from disk and made ready for the loops, once, on the
// control thread. All of it is there before a plan takes effect, or none of it is. Contexts whose
// files have not changed go on: making one takes a millisecond, and would forget sessions.

import Reactor
import TLS
import Traffic

/// Contexts of one plan.
struct Certificates: Sendable {
    struct UpstreamKey: Hashable {
        let service: String
        let revision: String
    }

    /// A context with all that it was made of.
    private struct Made<Plan: Equatable & Sendable, Context: Sendable>: Sendable {
        let plan: Plan
        let files: [TLSFile]
        let context: Context
    }

    private struct UpstreamPlan: Equatable {
        let tls: UpstreamTLSPlan
        let wire: UpstreamWire
    }

    private var servers: [NetworkAddress: Made<ListenerTLSPlan, TLSServerContext>] = [:]
    private var clients: [UpstreamKey: Made<UpstreamPlan, TLSClientContext>] = [:]
    /// The system's list takes 20 ms to read; it is read once, when it is first needed.
    private var system: TLSAuthorities?
    private var algorithms = TLSAlgorithms.standard

    var listeners: [NetworkAddress: TLSServerContext] { servers.mapValues(\.context) }

    func upstream(_ key: UpstreamKey) -> TLSClientContext? { clients[key]?.context }

    init() {}

    /// - Parameters:
    ///   - previous: what is in force.
    ///   - wall: seconds since 1970, against which certificates are held.
    init(
        _ plan: TrafficPlan, previous: Certificates, tickets: TLSTicketKeys,
        algorithms: TLSAlgorithms, wall: Int64
    ) throws(TrafficPlanError) {
        system = previous.system
        self.algorithms = algorithms
        for listener in plan.gateway.listeners {
            guard let tls = listener.tls else { continue }
            do throws(TLSSetupError) {
                servers[listener.address] = try server(
                    tls, previous.servers[listener.address], tickets, wall)
            } catch {
                throw .cannotSecure(
                    place: "gateway.listeners: \(listener.address): tls", reason: "\(error)")
            }
        }
        for service in plan.services {
            for revision in service.revisions {
                guard let tls = revision.tls else { continue }
                let key = UpstreamKey(service: service.name, revision: revision.name)
                do throws(TLSSetupError) {
                    clients[key] = try client(
                        UpstreamPlan(tls: tls, wire: revision.wire), previous.clients[key],
                        loops: plan.gateway.workers, wall)
                } catch {
                    throw .cannotSecure(
                        place: "services.\(service.name).revisions.\(revision.name).tls",
                        reason: "\(error)")
                }
            }
        }
    }

    // MARK: Making

    private func server(
        _ plan: ListenerTLSPlan, _ known: Made<ListenerTLSPlan, TLSServerContext>?,
        _ tickets: TLSTicketKeys, _ wall: Int64
    ) throws(TLSSetupError) -> Made<ListenerTLSPlan, TLSServerContext> {
        var files: [TLSFile] = []
        var identities: [TLSIdentity] = []
        for certificate in plan.certificates {
            let identity = try Certificates.identity(certificate)
            identities.append(identity)
            files += [identity.certificate, identity.key]
        }
        let authorities = try plan.clients.map { clients throws(TLSSetupError) in
            try TLSFile(reading: clients.authorities)
        }
        if let authorities { files.append(authorities) }
        if let known, known.plan == plan, known.files == files { return known }
        var settings = TLSServerSettings(identities: identities)
        settings.algorithms = algorithms
        if let authorities {
            let believed = try TLSAuthorities(authorities, now: wall)
            settings.clients =
                plan.clients?.isRequired == true ? .required(believed) : .optional(believed)
        }
        let context = try TLSServerContext(settings, tickets: tickets, now: wall)
        return Made(plan: plan, files: files, context: context)
    }

    private mutating func client(
        _ plan: UpstreamPlan, _ known: Made<UpstreamPlan, TLSClientContext>?, loops: Int,
        _ wall: Int64
    ) throws(TLSSetupError) -> Made<UpstreamPlan, TLSClientContext> {
        var files: [TLSFile] = []
        let identity = try plan.tls.identity.map { own throws(TLSSetupError) in
            try Certificates.identity(own)
        }
        if let identity { files += [identity.certificate, identity.key] }
        let authorities = try plan.tls.authorities.map { path throws(TLSSetupError) in
            try TLSFile(reading: path)
        }
        if let authorities { files.append(authorities) }
        if let known, known.plan == plan, known.files == files { return known }
        var settings = TLSClientSettings(authorities: nil)
        if plan.tls.verifies {
            if let authorities {
                settings.authorities = try TLSAuthorities(authorities, now: wall)
            } else {
                settings.authorities = try systemAuthorities()
            }
        }
        settings.identity = identity
        settings.algorithms = algorithms
        settings.offersHTTP2 = plan.wire != .http1
        settings.offersHTTP1 = plan.wire != .http2
        let context = try TLSClientContext(settings, loops: loops, now: wall)
        return Made(plan: plan, files: files, context: context)
    }

    private mutating func systemAuthorities() throws(TLSSetupError) -> TLSAuthorities {
        if let system { return system }
        let read = try TLSAuthorities.ofSystem()
        system = read
        return read
    }

    private static func identity(_ plan: CertificatePlan) throws(TLSSetupError) -> TLSIdentity {
        TLSIdentity(
            certificate: try TLSFile(reading: plan.certificate),
            key: try TLSFile(reading: plan.key))
    }
}

/// How one endpoint is spoken to over TLS.
final class EndpointTLS: Sendable {
    let context: TLSClientContext
    let name: TLSPeerName

    /// Nil when the endpoint has no name that a certificate could have.
    init?(_ context: TLSClientContext, _ plan: UpstreamTLSPlan, _ address: NetworkAddress) {
        let host: String
        switch (plan.serverName, address) {
        case (let name?, _): host = name
        case (nil, .tcp(let name, _)): host = name
        case (nil, .unix): host = "localhost"
        }
        guard let name = TLSPeerName(host) else { return nil }
        self.context = context
        self.name = name
    }
}
