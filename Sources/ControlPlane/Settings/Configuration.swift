// What the configuration file says, checked: past this value nothing of it can be invalid. Paths
// are absolute, defaults are filled in, and services are the gate's own plans.

package import Deployments
package import Traffic

package struct Configuration: Sendable, Equatable {
    package var gateway: GatewayPlan
    package var admin = AdminSettings()
    /// The state directory, absolute.
    package var statePath: String
    package var log = LogSettings()
    package var replicasOnExit = ReplicasOnExit.stop
    package var machine = MachineSettings()
    package var services: [ServicePlan] = []
    package var deployments: [DeploymentSpec] = []
    /// What relative paths of the file are relative to.
    package var directory: String
}

package struct AdminSettings: Sendable, Equatable {
    package var listen = NetworkAddress.tcp(host: "127.0.0.1", port: 9090)
    /// Who may connect at all; a token is needed besides.
    package var allow = AddressRange.loopback
    /// Needed beyond loopback.
    package var tls: CertificateFiles?

    package init() {}
}

/// Absolute paths of PEM files: the chain, leaf first, and its key.
package struct CertificateFiles: Sendable, Equatable {
    package var certificate: String
    package var key: String
}

package struct LogSettings: Sendable, Equatable {
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, Sendable, CaseIterable {
        case json, text
    }

    package var level = Level.info
    package var format = Format.json

    package init() {}
}

/// What this machine has for replicas. Nil and automatic are found out.
package struct MachineSettings: Sendable, Equatable {
    package var gpus: [GPUSettings]?
    package var controlGroups = ControlGroupSettings.automatic

    package init() {}
}

package struct GPUSettings: Sendable, Equatable {
    package var type: String
    package var count: Int
    /// Of each; 0 when it is not told.
    package var memoryBytes: Int
}

package enum ControlGroupSettings: Sendable, Equatable {
    case automatic, off
    /// This directory of a version 2 tree, whoever made it.
    case under(String)
}

/// What becomes of managed replicas when the gateway ends in good order.
package enum ReplicasOnExit: String, Sendable, CaseIterable {
    case stop
    /// Left running, for the next start to adopt.
    case keep
}
