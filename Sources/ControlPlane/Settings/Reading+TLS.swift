// `tls:` of listeners and of revisions, and the `protocol:` spoken to replicas. The files named are
// looked at as far as the surroundings allow: keys that do not fit are a matter of the file, too.

import Notation
import Traffic
import Yams

// MARK: Listeners

extension Reading {
    func listenerTLS(_ section: Section) -> ListenerTLSPlan? {
        guard features.contains(.tls) else {
            section.refuseUnsupported("tls")
            return nil
        }
        guard let value = section["tls"] else { return nil }
        guard case .sequence = value.node else {
            return value.section { listenerTLS($0, first: nil) }
        }
        let list = value.list("certificates", count: 1...Limits.certificates) ?? []
        var whole: ListenerTLSPlan?
        for element in list {
            guard let part = element.section({ listenerTLS($0, first: whole) }) else { continue }
            if whole == nil {
                whole = part
            } else {
                whole?.certificates += part.certificates
            }
        }
        return whole
    }

    /// One map: a certificate, and with the first what holds for the whole listener.
    private func listenerTLS(_ section: Section, first: ListenerTLSPlan?) -> ListenerTLSPlan? {
        let certificate = section.required("certificate", "a PEM file, the leaf first")
        let key = section.required("key", "a PEM file")
        let clients = clientCertificates(section)
        if let first, section.has("client_ca"), clients != first.clients {
            section.refuse(
                "client_ca",
                "differs from the first certificate's; it holds for the whole listener, since a "
                    + "client chooses the certificate by a name that it may make up")
        }
        guard let files = certificateFiles(certificate, key) else { return nil }
        return ListenerTLSPlan(certificates: [files], clients: clients)
    }

    private func clientCertificates(_ section: Section) -> ClientCertificatePlan? {
        let authorities = section["client_ca"].flatMap(authorityFile)
        var need = ClientNeed.required
        section.assign("client_auth", &need) { $0.word(ClientNeed.self) }
        if section.has("client_auth"), !section.has("client_ca") {
            section.refuse("client_auth", "has no effect without client_ca")
        }
        return authorities.map {
            ClientCertificatePlan(authorities: $0, isRequired: need == .required)
        }
    }

    private enum ClientNeed: String, CaseIterable {
        case required, optional
    }
}

// MARK: Revisions

extension Reading {
    func wire(_ section: Section) -> UpstreamWire {
        guard let value = section["protocol"], let wire = value.word(UpstreamWire.self) else {
            return .http1
        }
        guard wire == .auto else { return wire }
        if !features.contains(.tls) {
            value.refuse("auto is not supported yet; allowed: http1, h2")
        } else if !section.has("tls") {
            value.refuse("auto asks by ALPN, which is a part of TLS; add tls, or say http1 or h2")
        } else {
            return .auto
        }
        return .http1
    }

    func upstreamTLS(
        _ section: Section, towards endpoints: [EndpointPlan]
    ) -> UpstreamTLSPlan? {
        guard features.contains(.tls) else {
            section.refuseUnsupported("tls")
            return nil
        }
        return section["tls"]?.section { section in
            var tls = UpstreamTLSPlan()
            section.assign("server_name", &tls.serverName) { $0.serverName() }
            section.assign("ca", &tls.authorities, authorityFile)
            section.assign("verify", &tls.verifies) { $0.boolean() }
            tls.identity = identity(section)
            if !tls.verifies {
                section.refuse("ca", "has no effect with verify: false; remove one of the two")
            } else if tls.serverName == nil, endpoints.contains(where: \.isLocalSocket) {
                section.refuse("a unix socket has no name to verify; add server_name")
            }
            return tls
        }
    }

    /// Both files or none.
    private func identity(_ section: Section) -> CertificatePlan? {
        guard section.has("certificate") || section.has("key") else {
            _ = (section["certificate"], section["key"])
            return nil
        }
        let certificate = section.required("certificate", "a PEM file, the leaf first")
        let key = section.required("key", "a PEM file")
        return certificateFiles(certificate, key)
    }
}

// MARK: Files

extension Reading {
    func certificateFiles(_ certificate: Value?, _ key: Value?) -> CertificatePlan? {
        guard let place = certificate, let certificate = certificate.flatMap(existingPath),
            let key = key.flatMap(existingPath)
        else { return nil }
        // What cannot be read has been told already.
        if surroundings.file(certificate) == nil, surroundings.file(key) == nil,
            let complaint = surroundings.identity(certificate, key)
        {
            place.refuse(complaint)
        }
        return CertificatePlan(certificate: certificate, key: key)
    }

    private func authorityFile(_ value: Value) -> String? {
        guard let path = existingPath(value) else { return nil }
        if surroundings.file(path) == nil, let complaint = surroundings.authorities(path) {
            value.refuse(complaint)
        }
        return path
    }
}

extension EndpointPlan {
    fileprivate var isLocalSocket: Bool {
        if case .unix = address { return true }
        return false
    }
}

extension Value {
    /// A host name or an address, as certificates name them.
    fileprivate func serverName() -> String? {
        guard let text = text("a host name such as model.example") else { return nil }
        let name = text.lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case 45, 48...57, 95, 97...122: true
                    default: false
                    }
                }
        }
        guard name.utf8.count <= 253, isName || AddressBits(name) != nil else {
            refuse("\(Spelling.quoted(text)) is neither a host name nor an address")
            return nil
        }
        return name
    }
}
