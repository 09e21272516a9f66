// The rules between fields: what no field can judge alone. Each names the field that a user would
// change.

import Notation

struct SpecRules {
    let spec: DeploymentSpec
    let entries: SpecEntries
    let faults: Faults

    /// - Parameter size: what the chosen instance type stands for.
    func check(size: Resources?) {
        checkReplicas()
        checkResources(size)
        checkStrategy()
        checkProcess()
        checkMonitoring()
    }

    private func checkReplicas() {
        let (least, most) = (spec.scaling.minReplicas, spec.scaling.maxReplicas)
        guard least > most else { return }
        if entries.has("scaling_config.min_replicas") {
            refuse(
                "scaling_config.min_replicas", .outOfRange,
                "\(least) is above max_replicas, \(most)")
        } else {
            refuse(
                "scaling_config.max_replicas", .outOfRange,
                "\(most) is below min_replicas, \(least)")
        }
    }

    private func checkResources(_ size: Resources?) {
        guard let size, let name = spec.instanceType, spec.resources != size else { return }
        var sized = spec
        sized.resources = size
        for field in DeploymentFields.all
        where field.path[0] == "resources" && field.differs(spec, sized) {
            let value = field.show(sized)?.compact ?? "none"
            refuse(
                field.name, .conflict,
                "instance type '\(name)' has \(value); leave out one of the two")
        }
    }

    func checkStrategy() {
        let strategy = spec.strategy
        if strategy.maxSurge.isZero, strategy.maxUnavailable.isZero {
            refuse(
                "strategy.max_surge", .conflict,
                "with max_unavailable 0, too, no replica could ever be replaced")
        }
    }

    private func checkProcess() {
        let texts = spec.command + spec.arguments + spec.variables.values
        let isAddressed = texts.contains { $0.contains("{address}") || $0.contains("{port}") }
        if !spec.command.isEmpty, !isAddressed {
            refuse(
                "command", .invalid,
                "no argument or variable has {address} or {port}: the replica would not know where "
                    + "to listen")
        }
        if spec.command.first?.isEmpty == true {
            refuse("command", .invalid, "the program's name is empty")
        }
        for name in spec.variables.keys.sorted() where spec.secrets[name] != nil {
            refuse("secrets", .conflict, "'\(name)' stands in 'env', too", child: name)
        }
        for (field, names) in [
            ("env", spec.variables.keys.sorted()), ("secrets", spec.secrets.keys.sorted()),
        ] {
            for name in names where name.hasPrefix("PENSTOCK_") {
                refuse(
                    field, .invalid, "names that begin with PENSTOCK_ are Penstock's own",
                    child: name)
            }
        }
        let bytes =
            (spec.command + spec.arguments).reduce(0) { $0 + $1.utf8.count }
            + spec.variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if bytes > Limits.processBytes {
            refuse(
                "env", .tooLong,
                "arguments and variables have \(bytes) bytes; allowed: \(Limits.processBytes)")
        }
    }

    private func checkMonitoring() {
        guard spec.environment == .production, !spec.isMonitored, spec.unmonitoredReason == nil
        else { return }
        refuse(
            "enable_monitoring", .conflict,
            "production is monitored; an admin may override this with 'monitoring_override_reason'")
    }

    private func refuse(
        _ field: String, _ code: SpecProblem.Code, _ message: String, child: String? = nil
    ) {
        let pointer =
            entries[field]?.pointer ?? DeploymentFields.field(named: field)?.pointer
            ?? JSONPointer()
        faults.add(code, message, at: child.map(pointer.child) ?? pointer)
    }
}

extension CountOrShare {
    fileprivate var isZero: Bool { self == .count(0) || self == .share(0) }
}
