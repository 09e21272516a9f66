// The file read from the top: what belongs to the program as a whole. Other topics are in
// extensions, one file each.

import Notation
import Traffic
import Yams

struct Reading {
    let workers: Int
    let directory: String
    let surroundings: Surroundings
    let features: Features

    func program(_ file: Section) -> Configuration? {
        let defaults = GatewayPlan(
            listeners: [ListenerPlan(address: .tcp(host: "127.0.0.1", port: 8080))],
            workers: workers)
        var gateway = defaults
        file.assign("gateway", &gateway) { $0.section { self.gateway($0, from: defaults) } }
        var configuration = Configuration(
            gateway: gateway, statePath: absolute("var/penstock"), directory: directory)
        file.assign("admin", &configuration.admin) { $0.section(admin) }
        file.assign("state", &configuration.statePath, path)
        file.assign("log", &configuration.log) { $0.section(log) }
        file.assign("replicas_on_exit", &configuration.replicasOnExit) {
            replicasOnExit($0)
        }
        file.assign("machine", &configuration.machine) { $0.section(machine) }
        let services = file["services"]?.list("services", count: 0...Limits.services) ?? []
        configuration.services = services.compactMap { value in
            value.section { service($0, timeouts: gateway.timeouts) }
        }
        let deployments = file["deployments"]?.list("deployments", count: 0...Limits.services) ?? []
        configuration.deployments = deployments.compactMap(deployment)
        refuseTwins(services + deployments)
        refuseEqualRoutes(services, configuration)
        return configuration
    }

    /// A path of this machine, relative to the file's directory.
    func path(_ value: Value) -> String? {
        guard let text = value.text("a path") else { return nil }
        guard !text.isEmpty else {
            value.refuse("the path is empty")
            return nil
        }
        return absolute(text)
    }

    /// The path of a file that must be there already.
    func existingPath(_ value: Value) -> String? {
        guard let path = path(value) else { return nil }
        if let complaint = surroundings.file(path) { value.refuse(complaint) }
        return path
    }

    /// Without `.` and `..`, so that messages name a place once and equal paths are equal texts. By
    /// text alone: what a link would lead to is not asked.
    func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        var segments: [Substring] = []
        for segment in whole.split(separator: "/") where segment != "." {
            if segment != ".." { segments.append(segment) } else { _ = segments.popLast() }
        }
        return "/" + segments.joined(separator: "/")
    }

    private func admin(_ section: Section) -> AdminSettings? {
        var admin = AdminSettings()
        let listen = section["listen"]
        section.assign("allow", &admin.allow) { value in
            value.list("blocks of addresses", count: 1...Limits.ranges)?.compactMap { $0.range() }
        }
        section.assign("tls", &admin.tls) { $0.section(certificate) }
        if let address = listen.flatMap({ adminAddress($0, hasTLS: section.has("tls")) }) {
            admin.listen = address
        }
        return admin
    }

    private func certificate(_ section: Section) -> CertificateFiles?? {
        let certificate = section.required("certificate", "a PEM file, the leaf first")
        let key = section.required("key", "a PEM file")
        section.refuseUnsupported("client_ca")
        return certificateFiles(certificate, key).map {
            CertificateFiles(certificate: $0.certificate, key: $0.key)
        }
    }

    private func adminAddress(_ value: Value, hasTLS: Bool) -> NetworkAddress? {
        guard let address = value.listeningAddress() else { return nil }
        guard case .tcp(let host, _) = address else {
            value.refuse("a unix socket is not supported yet; write 127.0.0.1:9090")
            return nil
        }
        guard hasTLS || AddressBits(host)?.isLoopback == true else {
            value.refuse(
                "'\(host)' is beyond this machine, which needs TLS and a token; add admin.tls, or "
                    + "listen on 127.0.0.1 or [::1]")
            return nil
        }
        return address
    }

    private func replicasOnExit(_ value: Value) -> ReplicasOnExit? {
        value.word(ReplicasOnExit.self)
    }

    private func log(_ section: Section) -> LogSettings? {
        var log = LogSettings()
        section.assign("level", &log.level) { $0.word(LogSettings.Level.self) }
        section.assign("format", &log.format) { $0.word(LogSettings.Format.self) }
        return log
    }

    /// A deployment is a service, too: their names are one set.
    private func refuseTwins(_ values: [Value]) {
        refuseTwins(values.compactMap { $0.child("name") }, of: "services and deployments")
    }

    /// Among texts that must differ, the second of each kind is the wrong one.
    func refuseTwins(_ values: [Value], of kind: String) {
        var seen = Set<String>()
        for value in values {
            guard let text = value.node.string, !seen.insert(text).inserted else { continue }
            value.refuse("\(Spelling.quoted(text)) stands twice; names of \(kind) are unique")
        }
    }
}
