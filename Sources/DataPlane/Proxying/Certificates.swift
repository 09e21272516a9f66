// What a plan needs of certificates, read from disk and made ready for the loops, once, on the
// control thread. All of it is there before a plan takes effect, or none of it is.

import Reactor
import TLS
import Traffic

/// Contexts of one plan.
struct Certificates: Sendable {
    private(set) var listeners: [NetworkAddress: TLSServerContext] = [:]
    /// By service and revision.
    private(set) var upstreams: [UpstreamKey: TLSClientContext] = [:]

    struct UpstreamKey: Hashable {
        let service: String
        let revision: String
    }

    init() {}

    /// - Parameter wall: seconds since 1970, against which certificates are held.
    init(
        _ plan: TrafficPlan, tickets: TLSTicketKeys, wall: Int64
    ) throws(TrafficPlanError) {
        for listener in plan.gateway.listeners {
            guard let tls = listener.tls else { continue }
            do throws(TLSSetupError) {
                listeners[listener.address] = try Certificates.context(tls, tickets, wall)
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
                    upstreams[key] = try Certificates.context(
                        tls, wire: revision.wire, loops: plan.gateway.workers, wall)
                } catch {
                    throw .cannotSecure(
                        place: "services.\(service.name).revisions.\(revision.name).tls",
                        reason: "\(error)")
                }
            }
        }
    }

    private static func context(
        _ plan: ListenerTLSPlan, _ tickets: TLSTicketKeys, _ wall: Int64
    ) throws(TLSSetupError) -> TLSServerContext {
        var identities: [TLSIdentity] = []
        for certificate in plan.certificates { identities.append(try identity(certificate)) }
        var settings = TLSServerSettings(identities: identities)
        if let clients = plan.clients {
            let authorities = try TLSAuthorities(TLSFile(reading: clients.authorities))
            settings.clients = clients.isRequired ? .required(authorities) : .optional(authorities)
        }
        return try TLSServerContext(settings, tickets: tickets, now: wall)
    }

    private static func context(
        _ plan: UpstreamTLSPlan, wire: UpstreamWire, loops: Int, _ wall: Int64
    ) throws(TLSSetupError) -> TLSClientContext {
        var authorities: TLSAuthorities?
        if plan.verifies {
            if let path = plan.authorities {
                authorities = try TLSAuthorities(TLSFile(reading: path))
            } else {
                authorities = try .ofSystem()
            }
        }
        var settings = TLSClientSettings(authorities: authorities)
        if let own = plan.identity { settings.identity = try identity(own) }
        settings.offersHTTP2 = wire != .http1
        settings.offersHTTP1 = wire != .http2
        return try TLSClientContext(settings, loops: loops, now: wall)
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
