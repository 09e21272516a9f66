// Where this process stands in the control groups of the machine, read from /proc/self/cgroup and
// /proc/self/mountinfo. Pure: texts in, value out. Version 1 has a tree per controller, version 2
// one tree; a machine may have both.

package struct ControlGroupLayout: Sendable, Equatable {
    package struct Tree: Sendable, Equatable {
        package var version: Int
        /// Empty for version 2, whose groups say themselves which they have.
        package var controllers: Set<String>
        /// This process's own group, as a directory.
        package var own: String
        /// No group above can be seen: a container's own tree, or a machine nobody divides.
        package var isTop: Bool
    }

    package var trees: [Tree]

    package init(membership: String, mounts: String) {
        let mounted = mounts.split(separator: "\n").compactMap(Mount.init)
        trees = membership.split(separator: "\n").compactMap { line in
            // `4:memory:/some/group`, or `0::/some/group` for version 2.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let controllers = Set(fields[1].split(separator: ",").map(String.init))
            let version = fields[0] == "0" && controllers.isEmpty ? 2 : 1
            let mount = mounted.first {
                version == 2
                    ? $0.version == 2
                    : $0.version == 1 && controllers.isSubset(of: $0.options)
            }
            guard let mount, let own = mount.directory(of: String(fields[2])) else { return nil }
            return Tree(
                version: version, controllers: controllers, own: own,
                isTop: own == mount.point)
        }
    }

    package func tree(of controller: String) -> Tree? {
        trees.first { $0.version == 1 && $0.controllers.contains(controller) }
    }

    package var unified: Tree? { trees.first { $0.version == 2 } }
}

/// `36 35 0:30 /root /mount/point rw,nosuid shared:9 - cgroup2 cgroup rw,nsdelegate`.
private struct Mount {
    var root: String
    var point: String
    var version: Int
    var options: Set<String>

    init?(_ line: Substring) {
        let halves = line.split(separator: " - ", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let before = halves[0].split(separator: " ")
        let after = halves[1].split(separator: " ")
        guard before.count >= 6, after.count >= 3 else { return nil }
        switch after[0] {
        case "cgroup": version = 1
        case "cgroup2": version = 2
        default: return nil
        }
        root = String(before[3])
        point = String(before[4])
        options = Set(after[2].split(separator: ",").map(String.init))
    }

    /// Nil when the group is outside of what is mounted.
    func directory(of group: String) -> String? {
        if root == "/" { return group == "/" ? point : point + group }
        guard group == root || group.hasPrefix(root + "/") else {
            // A namespace shows its own root as "/".
            return group == "/" ? point : nil
        }
        return point + group.dropFirst(root.count)
    }
}
