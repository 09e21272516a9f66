// `deployments:` in their first form: a fixed number of replicas that Penstock runs. What a later
// form adds is refused until then.

import Notation
import Traffic
import Yams

extension Reading {
    func deployment(_ section: Section) -> DeploymentSettings? {
        let name = section.required("name", "deployments are told apart by it")?.name()
        let command = section.required("command", "a list: the program, then its arguments")
        var settings = DeploymentSettings(
            name: name ?? "", model: name ?? "", version: "v1", command: [], replicas: 1,
            balancing: BalancingPlan())
        section.assign("model", &settings.model) { $0.name() }
        section.assign("version", &settings.version) { $0.name() }
        section.assign("environment", &settings.environment) { $0.name() }
        section.assign("artifact", &settings.artifact, existingPath)
        settings.command =
            command.flatMap { arguments($0, mayUseArtifact: section.has("artifact")) } ?? []
        settings.replicas = replicas(section)
        section.assign("env", &settings.env, variables)
        section.assign("concurrency", &settings.concurrency) { $0.whole(1...100_000) }
        if let value = section["load_balancer"] {
            _ = value.section { loadBalancer($0, &settings) }
        }
        section.refuseUnsupported(
            "resources", "instance_type", "strategy", "enable_monitoring", "timeouts", "retry",
            "headers", "labels", "description", "slo", "monitoring", "autoscaling")
        return name.map { _ in settings }
    }

    private func arguments(_ value: Value, mayUseArtifact: Bool) -> [String]? {
        guard let list = value.list("the program and its arguments", count: 1...Limits.arguments)
        else { return nil }
        let arguments = list.compactMap { element in
            element.text("an argument", maxBytes: 65_536)
        }
        guard arguments.count == list.count else { return nil }
        if arguments[0].isEmpty {
            list[0].refuse("the program's name is empty")
        } else if let complaint = surroundings.program(arguments[0]) {
            list[0].refuse(complaint)
        }
        if !arguments.contains(where: { $0.contains("{address}") }) {
            value.refuse("no argument has {address}: the replica would not know where to listen")
        }
        if !mayUseArtifact, let index = arguments.firstIndex(where: { $0.contains("{artifact}") }) {
            list[index].refuse("{artifact} is used, and the deployment has no 'artifact'")
        }
        return arguments
    }

    /// `replicas: 2`, or a scaling range that leaves no choice.
    private func replicas(_ section: Section) -> Int {
        var replicas = 1
        section.assign("replicas", &replicas) { $0.whole(1...Limits.replicas) }
        guard let scaling = section["scaling_config"] else { return replicas }
        if section.has("replicas") {
            scaling.refuse("'replicas' is given, too; write one of them")
        }
        let range: ClosedRange<Int>? = scaling.section { scaling in
            let least = scaling.required("min_replicas", "a whole number")
            let most = scaling["max_replicas"]
            scaling.refuseUnsupported(
                "target_cpu_utilization", "target_memory_utilization", "cooldown_period")
            guard let low = least?.whole(1...Limits.replicas) else { return nil }
            guard let most else { return low...low }
            guard let high = most.whole(1...Limits.replicas) else { return nil }
            guard high >= low else {
                most.refuse("\(high) is below min_replicas, \(low)")
                return nil
            }
            if high > low { most.refuse("scaling is not supported yet; allowed: \(low)") }
            return low...high
        }
        return range?.lowerBound ?? replicas
    }

    private func variables(_ value: Value) -> [String: String]? {
        guard case .mapping(let mapping) = value.node else {
            value.refuse("\(value.kind) where a map of variables is expected")
            return nil
        }
        guard mapping.count <= Limits.variables else {
            value.refuse("\(mapping.count) variables; at most \(Limits.variables) are allowed")
            return nil
        }
        var variables: [String: String] = [:]
        for (key, node) in mapping {
            let name = key.string ?? ""
            let entry = Value(
                node: node, field: "\(value.field).\(name)", findings: value.findings)
            let isName =
                name.first.map { !$0.isNumber } ?? false
                && name.utf8.allSatisfy { $0 == 95 || ($0 != 45 && $0 != 46 && $0.isWordByte) }
            if !isName {
                entry.refuse("\(Spelling.quoted(name)) is no name of a variable")
            }
            variables[name] = entry.text("the variable's value", maxBytes: 65_536)
        }
        return variables
    }

    private func loadBalancer(_ section: Section, _ settings: inout DeploymentSettings) -> Bool? {
        section.assign("algorithm", &settings.balancing.algorithm) { $0.algorithm() }
        section.assign("health_check_path", &settings.healthPath) { $0.urlPath() }
        section.assign("health_check_interval", &settings.healthInterval) { value in
            if let seconds = value.node.string.flatMap({ Quantity.natural($0[...]) }) {
                return seconds > 0 && seconds <= 3600
                    ? .seconds(seconds) : value.duration(Reading.probeTimes)
            }
            return value.duration(Reading.probeTimes)
        }
        var (isSticky, isEnabled) = (false, true)
        section.assign("sticky_sessions", &isSticky) { $0.boolean() }
        if isSticky { settings.balancing.sticky = StickyPlan(key: .cookie("penstock")) }
        let enabled = section["enabled"]
        if let value = enabled?.boolean() { isEnabled = value }
        if !isEnabled { enabled?.refuse("false is not supported yet; allowed: true") }
        return true
    }
}

extension UInt8 {
    fileprivate var isWordByte: Bool {
        switch self {
        case 48...57, 65...90, 95, 97...122: true
        default: false
        }
    }
}
