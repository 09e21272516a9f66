// What can go wrong with replicas that is nobody's bug, in the words that a person gets to read.

import Foundation

package enum ReplicaError: Error, Equatable, CustomStringConvertible {
    case noCommand
    case programNotFound(String, searched: [String])
    case programNotExecutable(String)
    case artifactNotFound(String)
    case directoryNotFound(String)
    case badName(String)
    case socketPathTooLong(String)
    case alreadyRunning(String)
    /// Not now; perhaps when something else has ended.
    case noCapacity(String)
    case startFailed(step: String, reason: String)
    case notAdoptable(String)
    case noSuchLog(String)
    case file(String, reason: String)
    case systemCall(String, String)

    package var description: String {
        switch self {
        case .noCommand: "the command is empty"
        case .programNotFound(let name, let searched):
            "program '\(name)' is not found; sought in \(searched.joined(separator: ", "))"
        case .programNotExecutable(let path): "program '\(path)' is not an executable file"
        case .artifactNotFound(let path): "artifact '\(path)' does not exist"
        case .directoryNotFound(let path): "working directory '\(path)' does not exist"
        case .badName(let name):
            "'\(name)' cannot name a replica: 1 to \(Limits.nameBytes) letters, digits and -_."
        case .socketPathTooLong(let path):
            "socket path '\(path)' is longer than \(Limits.socketPathBytes) bytes; "
                + "choose a shorter state directory"
        case .alreadyRunning(let name): "replica '\(name)' is running already"
        case .noCapacity(let reason): reason
        case .startFailed(let step, let reason): "could not \(step): \(reason)"
        case .notAdoptable(let reason): "cannot be taken over: \(reason)"
        case .noSuchLog(let what): "no log of \(what)"
        case .file(let path, let reason): "\(path): \(reason)"
        case .systemCall(let call, let reason): "\(call): \(reason)"
        }
    }

    /// Foundation's words for a failure with a file.
    static func file<Value>(
        _ path: String, _ body: () throws -> Value
    ) throws(ReplicaError) -> Value {
        do {
            return try body()
        } catch {
            throw .file(path, reason: (error as NSError).localizedDescription)
        }
    }
}
