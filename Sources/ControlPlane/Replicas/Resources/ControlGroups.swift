// Control groups of this machine, for the limits of replicas: found once, then one group a replica
// in each tree, made before its program runs and removed after its last process. Only trees that
// are ours to divide are used: a container's own, or one that the service manager delegates.

import Foundation
import Glibc

package enum ControlGroupChoice: Sendable, Equatable {
    /// What this process may divide.
    case automatic
    case off
    /// This version 2 group, whoever made it.
    case under(String)
}

struct ControlGroups: Sendable {
    struct Place: Sendable, Equatable {
        var version: Int
        /// Where groups are made.
        var directory: String
    }

    /// Where Penstock itself goes in a version 2 tree: a group that has children with limits may
    /// hold no process itself.
    static let ownLeaf = "gateway"

    private(set) var places: [ResourceKind: Place] = [:]
    private(set) var reasons: [ResourceKind: String] = [:]
    /// Tells the groups of this state directory from those of other Penstocks.
    private let prefix: String

    static let kinds: [ResourceKind] = [.cpu, .memory, .processes]

    init(
        choice: ControlGroupChoice, tag: String,
        layout: ControlGroupLayout = ControlGroups.currentLayout()
    ) {
        prefix = "penstock-\(tag)-"
        if case .off = choice {
            for kind in Self.kinds { reasons[kind] = "control groups are switched off" }
            return
        }
        for kind in Self.kinds { find(kind, choice, layout) }
    }

    static func currentLayout() -> ControlGroupLayout {
        ControlGroupLayout(
            membership: Kernel.text("/proc/self/cgroup") ?? "",
            mounts: Kernel.contents("/proc/self/mountinfo", bytesMax: 1 << 20).map {
                String(decoding: $0, as: UTF8.self)
            } ?? "")
    }

    private mutating func find(
        _ kind: ResourceKind, _ choice: ControlGroupChoice, _ layout: ControlGroupLayout
    ) {
        let controller = ControlGroupLimits.controller(kind) ?? ""
        if case .under(let path) = choice {
            let tree = ControlGroupLayout.Tree(version: 2, controllers: [], own: path, isTop: true)
            accept(kind, version2(controller, tree))
        } else if let tree = layout.tree(of: controller) {
            accept(kind, Self.version1(controller, tree))
        } else if let tree = layout.unified {
            accept(kind, version2(controller, tree))
        } else {
            reasons[kind] = "there are no control groups here"
        }
    }

    private mutating func accept(_ kind: ResourceKind, _ result: Result<Place, Unusable>) {
        switch result {
        case .success(let place): places[kind] = place
        case .failure(let unusable): reasons[kind] = unusable.reason
        }
    }

    struct Unusable: Error {
        var reason: String
    }

    /// Version 1 knows no delegation: a group below the top belongs to whoever made it.
    private static func version1(
        _ controller: String, _ tree: ControlGroupLayout.Tree
    ) -> Result<Place, Unusable> {
        guard tree.isTop else {
            return .failure(
                Unusable(reason: "the \(controller) control group (v1) belongs to somebody else"))
        }
        guard FileManager.default.isWritableFile(atPath: tree.own) else {
            return .failure(Unusable(reason: "the \(controller) control group is read-only"))
        }
        return .success(Place(version: 1, directory: tree.own))
    }

    private func version2(
        _ controller: String, _ tree: ControlGroupLayout.Tree
    ) -> Result<Place, Unusable> {
        let own = tree.own
        let above = (own as NSString).deletingLastPathComponent
        let isInLeaf = (own as NSString).lastPathComponent == Self.ownLeaf && !tree.isTop
        let parent = isInLeaf && Self.mayDivide(above, isTop: false) ? above : own
        guard parent != own || Self.mayDivide(own, isTop: tree.isTop) else {
            return .failure(
                Unusable(reason: "the control group is not delegated (systemd: Delegate=yes)"))
        }
        guard words("cgroup.controllers", of: parent).contains(controller) else {
            return .failure(Unusable(reason: "no \(controller) controller in \(parent)"))
        }
        if let reason = enable(controller, in: parent) {
            return .failure(Unusable(reason: reason))
        }
        return .success(Place(version: 2, directory: parent))
    }

    private static func mayDivide(_ directory: String, isTop: Bool) -> Bool {
        let files = FileManager.default
        let procs = directory + "/cgroup.procs"
        guard files.isWritableFile(atPath: directory), files.isWritableFile(atPath: procs) else {
            return false
        }
        if isTop || Kernel.isDelegated(directory) { return true }
        // Somebody made it ours by giving it to our user.
        let owner = (try? files.attributesOfItem(atPath: directory)[.ownerAccountID]) as? Int
        return owner == Int(geteuid()) && geteuid() != 0
    }

    /// Nil when groups below have the controller; else why not.
    private func enable(_ controller: String, in parent: String) -> String? {
        let control = parent + "/cgroup.subtree_control"
        if words("cgroup.subtree_control", of: parent).contains(controller) { return nil }
        var code = Kernel.write("+\(controller)", to: control)
        if code == EBUSY, let reason = moveOwn(in: parent) { return reason }
        if code == EBUSY { code = Kernel.write("+\(controller)", to: control) }
        return code == 0
            ? nil : "cannot enable \(controller) in \(parent): \(Kernel.errorText(code))"
    }

    /// Penstock and the shims it knows go into a leaf of their own; others it may not move.
    private func moveOwn(in parent: String) -> String? {
        let own = getpid()
        let others = words("cgroup.procs", of: parent).compactMap { Int32($0) }.filter {
            $0 != own && Kernel.process($0)?.parent != own
        }
        if let other = others.first {
            return "the control group \(parent) also holds process \(other)"
        }
        let leaf = parent + "/" + Self.ownLeaf
        guard Kernel.makeDirectory(leaf) == 0 else { return "cannot make \(leaf)" }
        for process in words("cgroup.procs", of: parent) {
            let code = Kernel.write(process, to: leaf + "/cgroup.procs")
            // One that has just ended need not be moved.
            if code != 0, code != ESRCH { return "cannot move into \(leaf)" }
        }
        return nil
    }

    private func words(_ file: String, of directory: String) -> [String] {
        (Kernel.text(directory + "/" + file) ?? "").split { $0.isWhitespace }.map(String.init)
    }
}

// One replica's groups.
extension ControlGroups {
    /// Makes the replica's groups and sets the limits asked for: the directories to join.
    func make(
        replica: String, nonce: String, resources: ReplicaResources
    ) throws(ReplicaError) -> [String] {
        var made: [String] = []
        for kind in Self.kinds where resources.isAsked(kind) {
            guard let place = places[kind] else { continue }
            let directory = "\(place.directory)/\(prefix)\(replica)-\(nonce.prefix(8))"
            do {
                try set(kind, resources, place.version, in: directory)
            } catch {
                remove(made + [directory])
                throw error
            }
            if !made.contains(directory) { made.append(directory) }
        }
        return made
    }

    private func set(
        _ kind: ResourceKind, _ resources: ReplicaResources, _ version: Int, in directory: String
    ) throws(ReplicaError) {
        let code = Kernel.makeDirectory(directory)
        guard code == 0 else {
            throw .startFailed(step: "make \(directory)", reason: Kernel.errorText(code))
        }
        for entry in ControlGroupLimits.entries(kind, of: resources, version: version) {
            let code = Kernel.write(entry.value, to: "\(directory)/\(entry.file)")
            guard code == 0 || entry.isOptional else {
                throw .startFailed(
                    step: "set \(entry.file) to \(entry.value)", reason: Kernel.errorText(code))
            }
        }
    }

    /// Whether the kernel killed for memory in any of them.
    func isOutOfMemory(_ groups: [String]) -> Bool {
        groups.contains { group in
            let events =
                Kernel.text(group + "/memory.events") ?? Kernel.text(group + "/memory.oom_control")
            return ControlGroupLimits.outOfMemoryKills(events ?? "") > 0
        }
    }

    /// What the groups say better than a look at the processes does; nil for what they do not.
    func reading(_ groups: [String]) -> (cpuMicroseconds: Int?, memoryBytes: Int?) {
        var result: (cpuMicroseconds: Int?, memoryBytes: Int?)
        for group in groups {
            if let text = Kernel.text(group + "/cpu.stat"),
                let used = ControlGroupLimits.number("usage_usec", in: text)
            {
                result.cpuMicroseconds = used
            }
            let memory =
                Kernel.text(group + "/memory.current")
                ?? Kernel.text(group + "/memory.usage_in_bytes")
            if let memory, let bytes = Int(memory.filter(\.isNumber)) {
                let stat = Kernel.text(group + "/memory.stat") ?? ""
                // Files that the kernel can drop at any time are not what the replica needs.
                let cache = ControlGroupLimits.number("inactive_file", in: stat) ?? 0
                result.memoryBytes = max(0, bytes - cache)
            }
        }
        return result
    }

    /// Kills what is left in them, then removes them.
    func remove(_ groups: [String]) {
        for group in groups where !Kernel.removeDirectory(group) {
            if Kernel.write("1", to: group + "/cgroup.kill") != 0 {
                for process in words("cgroup.procs", of: group).compactMap({ Int32($0) }) {
                    _ = Glibc.kill(process, SIGKILL)
                }
            }
            // Killed processes leave their group when they are reaped; a later start looks again.
            _ = Kernel.removeDirectory(group)
        }
    }

    /// Groups of this state directory that no known replica has.
    func strays(known: Set<String>) -> [String] {
        Set(places.values.map(\.directory)).flatMap { parent in
            // A tree that cannot be listed has no groups that we could remove.
            ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [])
                .filter { $0.hasPrefix(prefix) }.map { "\(parent)/\($0)" }
        }.filter { !known.contains($0) }
    }

    func enforcement(_ kind: ResourceKind) -> Enforcement {
        guard let place = places[kind] else {
            return .advisory(reason: reasons[kind] ?? "there are no control groups here")
        }
        return .enforced(by: place.version == 2 ? .controlGroupV2 : .controlGroupV1)
    }
}
