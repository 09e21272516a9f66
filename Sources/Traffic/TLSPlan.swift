// TLS as a plan describes it: which files, whom to ask, whom to trust. Paths only; what stands in
// the files is read by the data plane when it takes the plan, so that a reload takes them anew.

/// PEM files: the chain, leaf first, and its key.
package struct CertificatePlan: Sendable, Hashable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// How a listener ends TLS.
package struct ListenerTLSPlan: Sendable, Hashable {
    /// The first answers to unknown names, the others to those they are made for.
    package var certificates: [CertificatePlan]
    /// Nil asks clients for nothing.
    package var clients: ClientCertificatePlan?

    package init(certificates: [CertificatePlan], clients: ClientCertificatePlan? = nil) {
        self.certificates = certificates
        self.clients = clients
    }
}

/// Which clients' certificates are believed. One rule per listener: a client chooses among its
/// certificates with a name that it may make up.
package struct ClientCertificatePlan: Sendable, Hashable {
    /// A PEM file of authorities.
    package var authorities: String
    /// Without a certificate nobody gets in.
    package var isRequired: Bool

    package init(authorities: String, isRequired: Bool = true) {
        self.authorities = authorities
        self.isRequired = isRequired
    }
}

/// How a revision's endpoints are spoken to over TLS.
package struct UpstreamTLSPlan: Sendable, Hashable {
    /// The name to ask for and to verify; nil is the endpoint's own host.
    package var serverName: String?
    /// A PEM file of authorities; nil is the system's list.
    package var authorities: String?
    package var verifies = true
    /// Shown to endpoints that ask for it.
    package var identity: CertificatePlan?

    package init() {}
}
