// The system calls of a start: posix_spawn with its own session, default signals, no descriptor but
// standard input from /dev/null and output to the log.

import CLinux
import Glibc

extension ProcessRuntime {
    struct Launch {
        var program: String
        var arguments: [String]
        var variables: [String: String]
        var workingDirectory: String?
        var log: String
    }

    static func start(_ launch: Launch) throws(ReplicaError) -> pid_t {
        var attributes = posix_spawnattr_t()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawnattr_init(&attributes)
        unsafe posix_spawn_file_actions_init(&actions)
        defer {
            unsafe posix_spawnattr_destroy(&attributes)
            unsafe posix_spawn_file_actions_destroy(&actions)
        }
        setSignals(&attributes)
        try unsafe succeed(
            "posix_spawn_file_actions", setDescriptors(&actions, log: launch.log))
        if let directory = launch.workingDirectory {
            try succeed(
                "chdir \(directory)",
                unsafe penstock_spawn_actions_change_directory(&actions, directory))
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe launch.arguments.map {
            unsafe strdup($0)
        }
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe launch.variables.map {
            unsafe strdup("\($0.key)=\($0.value)")
        }
        unsafe arguments.append(nil)
        unsafe variables.append(nil)
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        var identifier: pid_t = 0
        let code = unsafe posix_spawn(
            &identifier, launch.program, &actions, &attributes, arguments, variables)
        try succeed("posix_spawn \(launch.program)", code)
        return identifier
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
        _ actions: inout posix_spawn_file_actions_t, log: String
    ) -> Int32 {
        let steps = [
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0),
            unsafe posix_spawn_file_actions_addopen(
                &actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600),
            unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2),
            unsafe penstock_spawn_actions_close_from(&actions, 3),
        ]
        return steps.first { $0 != 0 } ?? 0
    }

    private static func succeed(_ call: String, _ code: Int32) throws(ReplicaError) {
        guard code != 0 else { return }
        throw .systemCall(call, "\(unsafe String(cString: penstock_error_text(code))) (\(code))")
    }
}
