// Where this process stands in the machine's control groups, what a limit looks like as a file, and
// what is written where, in a folder that stands for a tree.

import Foundation
import Replicas
import Testing

@Suite struct ControlGroupTests {
    @Test func `a machine with version 2 has one tree`() {
        let layout = ControlGroupLayout(
            membership: "0::/system.slice/penstock.service\n",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n")
        #expect(layout.unified?.own == "/sys/fs/cgroup/system.slice/penstock.service")
        #expect(layout.unified?.isTop == false)
        #expect(layout.tree(of: "memory") == nil)
    }

    @Test func `version 1 has a tree a controller, some of them shared`() {
        let layout = ControlGroupLayout(
            membership: "8:pids:/\n4:memory:/some/group\n2:cpu,cpuacct:/\n0::/\n",
            mounts: """
                30 23 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
                31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                """)
        #expect(layout.tree(of: "pids")?.isTop == true)
        #expect(layout.tree(of: "memory")?.own == "/sys/fs/cgroup/memory/some/group")
        #expect(layout.tree(of: "memory")?.isTop == false)
        #expect(layout.tree(of: "cpu")?.own == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(layout.unified == nil, "not mounted")
    }

    @Test func `a container sees its own group as the top`() {
        let inside = ControlGroupLayout(
            membership: "0::/\n",
            mounts: "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n")
        #expect(inside.unified?.isTop == true)
        let bound = ControlGroupLayout(
            membership: "0::/docker/abc\n",
            mounts: "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n")
        #expect(bound.unified?.own == "/sys/fs/cgroup")
        #expect(bound.unified?.isTop == true)
    }

    @Test(arguments: ["", "nonsense", "0::", "a b c - cgroup2"])
    func `other texts hold no trees`(text: String) {
        #expect(ControlGroupLayout(membership: text, mounts: text).trees == [])
    }

    @Test func `limits are files with the kernel's units`() {
        let resources = ReplicaResources(cpu: 1.5, memoryBytes: 1 << 29, processes: 64)
        func files(_ kind: ResourceKind, _ version: Int) -> [String] {
            ControlGroupLimits.entries(kind, of: resources, version: version).map {
                "\($0.file)=\($0.value)"
            }
        }
        #expect(files(.cpu, 2) == ["cpu.max=150000 100000"])
        #expect(files(.cpu, 1) == ["cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000"])
        #expect(
            files(.memory, 2)
                == ["memory.max=536870912", "memory.swap.max=0", "memory.oom.group=1"])
        #expect(files(.memory, 1).first == "memory.limit_in_bytes=536870912")
        #expect(files(.processes, 1) == ["pids.max=64"])
        #expect(files(.storage, 2) == [])
        let tiny = ReplicaResources(cpu: 0.001)
        #expect(
            ControlGroupLimits.entries(.cpu, of: tiny, version: 2).map(\.value) == ["1000 100000"])
    }

    @Test func `kills for memory are counted in both versions' words`() {
        #expect(ControlGroupLimits.outOfMemoryKills("low 0\noom 3\noom_kill 2\n") == 2)
        #expect(ControlGroupLimits.outOfMemoryKills("oom_kill_disable 0\noom_kill 1\n") == 1)
        #expect(ControlGroupLimits.outOfMemoryKills("") == 0)
    }

    @Test func `without limits asked for, nothing is said of them`() throws {
        let scratch = Scratch()
        let runtime = try scratch.runtime(controlGroups: .off)
        #expect(
            runtime.enforcement(of: ReplicaResources()).keys.sorted { "\($0)" < "\($1)" }
                == [.processes])
        let all = runtime.enforcement(
            of: ReplicaResources(
                cpu: 1, memoryBytes: 1, gpuCount: 1, storageBytes: 1, bandwidthMbps: 1))
        #expect(all[.cpu] == .advisory(reason: "control groups are switched off"))
        #expect(all[.memory] == .enforced(by: .watch))
        #expect(all[.gpu] == .enforced(by: .assignment))
        #expect(all[.storage]?.isEnforced == false)
        #expect(all[.bandwidth]?.isEnforced == false)
    }
}
