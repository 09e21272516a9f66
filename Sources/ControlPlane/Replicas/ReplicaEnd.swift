// How a run ended, as a value and as a sentence. Pure: what
// was seen goes in, the cause comes out.

package import Foundation

/// How a process ended.
package enum ReplicaExit: Sendable, Equatable, Codable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32, dumped: Bool)
    /// Nobody who could know is left.
    case unknown(String)

    package var description: String {
        switch self {
        case .code(let code): "exited with code \(code)"
        case .signal(let signal, false): "killed by \(Self.name(signal))"
        case .signal(let signal, true): "killed by \(Self.name(signal)), core dumped"
        case .unknown(let reason): "ended; how is unknown: \(reason)"
        }
    }

    private static func name(_ signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
            7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2",
            13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

package struct ReplicaEnd: Sendable, Equatable, Codable {
    package var exit: ReplicaExit
    /// Somebody asked for it.
    package var isRequested: Bool
    package var at: Date
    /// A sentence: "killed by SIGKILL; the memory limit of 512 MiB was reached".
    package var cause: String
    /// None when it was asked for and orderly.
    package var dossier: CrashDossier?

    package init(
        exit: ReplicaExit, isRequested: Bool, at: Date, cause: String,
        dossier: CrashDossier? = nil
    ) {
        self.exit = exit
        self.isRequested = isRequested
        self.at = at
        self.cause = cause
        self.dossier = dossier
    }
}

/// What was seen around an end, besides the exit itself.
package struct EndCircumstances: Sendable, Equatable {
    package enum Request: String, Sendable {
        case none = "no"
        case stop, kill
    }

    package var exit: ReplicaExit
    package var request: Request
    package var memoryLimitBytes: Int?
    /// The kernel killed a process of the replica's control group for its memory.
    package var isOutOfMemory = false
    /// Resident bytes when Penstock itself ended it for its memory.
    package var watchedBytes: Int?
    package var unkillable = 0

    package init(
        exit: ReplicaExit, request: Request = .none, memoryLimitBytes: Int? = nil
    ) {
        self.exit = exit
        self.request = request
        self.memoryLimitBytes = memoryLimitBytes
    }

    package var cause: String {
        var sentence = exit.description
        if let watchedBytes {
            sentence += "; \(memoryReached), with \(Self.bytes(watchedBytes)) resident"
        } else if isOutOfMemory {
            sentence += "; \(memoryReached)"
        } else if request == .stop, exit == .signal(9, dumped: false) {
            sentence += "; it had not ended within its grace after SIGTERM"
        } else if request != .none {
            sentence += ", as asked"
        } else if case .code(0) = exit {
            sentence += "; a replica is meant to run until it is stopped"
        } else if let hint = Self.hints[exit] {
            sentence += "; \(hint)"
        }
        if unkillable > 0 { sentence += "; some of its processes cannot be killed" }
        return sentence
    }

    private var memoryReached: String {
        guard let memoryLimitBytes else { return "the machine ran out of memory" }
        return "the memory limit of \(Self.bytes(memoryLimitBytes)) was reached"
    }

    static func bytes(_ count: Int) -> String {
        let mebibyte = 1024 * 1024
        if count >= 10 * 1024 * mebibyte { return "\(count / (1024 * mebibyte)) GiB" }
        return count >= mebibyte ? "\(count / mebibyte) MiB" : "\(count) bytes"
    }

    private static let hints: [ReplicaExit: String] = [
        .signal(9, dumped: false):
            "nobody here asked for that: look for the kernel's out-of-memory killer",
        .code(126): "shells say so of a command that may not be run",
        .code(127): "shells say so of a command that is not found",
        .code(137): "shells say so of a program killed by SIGKILL",
    ]
}

extension ReplicaExit: Hashable {}
