// Starts a shim: posix_spawn into its own session, with default signals and only two descriptors
// besides 0 to 2: what to run, and the channel for its first words.

import CLinux
import Foundation
import Glibc

/// The program that is the parent of a replica.
package struct ShimProgram: Sendable, Equatable {
    package var path: String
    package var arguments: [String]

    package init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// This very program, also when its file has been replaced since.
    package static let own = ShimProgram(path: "/proc/self/exe", arguments: ["penstock", "shim"])
}

/// A shim that runs, and this side of its channel.
struct SpawnedShim: Sendable {
    var process: pid_t
    var pidfd: Int32
    var channel: Int32
}

extension ProcessRuntime {
    /// Numbers that the shim knows, and where the ends are put first so that none is overwritten.
    private enum Place {
        static let spec: Int32 = 3
        static let channel: Int32 = 4
        static let above: Int32 = 10
    }

    static func spawn(
        _ shim: ShimProgram, replica: String, order: [UInt8], inherited: [String: String]
    ) throws(ReplicaError) -> SpawnedShim {
        let spec = try descriptor(
            "memfd_create",
            unsafe order.withUnsafeBytes { unsafe penstock_memory_file($0.baseAddress, $0.count) })
        defer { close(spec) }
        var ends: [Int32] = [-1, -1]
        _ = try descriptor("socketpair", unsafe penstock_channel(&ends))
        defer { close(ends[1]) }
        do throws(ReplicaError) {
            let process = try spawn(
                shim, arguments: shim.arguments + ["--replica", replica],
                variables: loaderVariables(inherited), spec: spec, channel: ends[1])
            return SpawnedShim(
                process: process, pidfd: try held(process), channel: ends[0])
        } catch {
            close(ends[0])
            throw error
        }
    }

    /// A descriptor for the process; without one it cannot be looked after, and is ended.
    private static func held(_ process: pid_t) throws(ReplicaError) -> Int32 {
        let pidfd = penstock_pidfd_open(process)
        if pidfd >= 0 { return pidfd }
        let code = errno
        _ = Glibc.kill(process, SIGKILL)
        _ = waitpid(process, nil, 0)
        throw .systemCall("pidfd_open", Kernel.errorText(code))
    }

    private static func spawn(
        _ shim: ShimProgram, arguments: [String], variables: [String], spec: Int32, channel: Int32
    ) throws(ReplicaError) -> pid_t {
        let spec = try descriptor("fcntl", penstock_duplicate_above(spec, Place.above))
        defer { close(spec) }
        let channel = try descriptor("fcntl", penstock_duplicate_above(channel, Place.above))
        defer { close(channel) }
        var attributes = posix_spawnattr_t()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawnattr_init(&attributes)
        unsafe posix_spawn_file_actions_init(&actions)
        defer {
            unsafe posix_spawnattr_destroy(&attributes)
            unsafe posix_spawn_file_actions_destroy(&actions)
        }
        setSignals(&attributes)
        try succeed(
            "posix_spawn_file_actions",
            unsafe setDescriptors(&actions, spec: spec, channel: channel))
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        unsafe variables.append(nil)
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        var process: pid_t = 0
        try succeed(
            "posix_spawn \(shim.path)",
            unsafe posix_spawn(&process, shim.path, &actions, &attributes, arguments, variables))
        return process
    }

    /// What the loader and the sanitizers of this build need; nothing of the replica's.
    private static func loaderVariables(_ inherited: [String: String]) -> [String] {
        inherited.filter { $0.key.hasPrefix("LD_") || $0.key.hasSuffix("SAN_OPTIONS") }
            .map { "\($0.key)=\($0.value)" }
    }

    private static func setSignals(_ attributes: inout posix_spawnattr_t) {
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags =
            Int32(penstock_spawn_setsid) | Int32(POSIX_SPAWN_SETSIGMASK)
            | Int32(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    private static func setDescriptors(
        _ actions: inout posix_spawn_file_actions_t, spec: Int32, channel: Int32
    ) -> Int32 {
        let steps = [
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0),
            unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0),
            unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2),
            unsafe posix_spawn_file_actions_adddup2(&actions, spec, Place.spec),
            unsafe posix_spawn_file_actions_adddup2(&actions, channel, Place.channel),
            unsafe penstock_spawn_actions_close_from(&actions, Place.channel + 1),
        ]
        return steps.first { $0 != 0 } ?? 0
    }

    private static func descriptor(_ call: String, _ result: Int32) throws(ReplicaError) -> Int32 {
        guard result < 0 else { return result }
        throw .systemCall(call, Kernel.errorText(-result))
    }

    private static func succeed(_ call: String, _ code: Int32) throws(ReplicaError) {
        guard code != 0 else { return }
        throw .systemCall(call, Kernel.errorText(code))
    }
}
