// Why the state directory cannot be used. Every case names the file and what to do about it, for
// these texts are read by an operator at three in the morning.

package enum StateError: Error, Sendable, Equatable {
    /// Another process has the state directory; `holder` is what it wrote into the lock file.
    case inUse(file: String, holder: String)
    case corrupt(file: String, reason: String)
    /// Written by a later version of Penstock.
    case tooNew(file: String)
    case full(file: String)
    /// Another program holds a lock on the database for longer than we wait.
    case locked(file: String)
    case unusable(file: String, reason: String)
    case malformedSecret(file: String, expected: String)
    /// A commit whose generation is not above the last one stored: somebody else has committed.
    case staleGeneration(stored: UInt64, offered: UInt64)
}

extension StateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inUse(let file, let holder):
            "\(file): another Penstock uses this state directory (\(holder)); "
                + "stop it or choose another directory"
        case .corrupt(let file, let reason):
            "\(file): the database is damaged (\(reason)); restore a backup, or move the file "
                + "away to start afresh without the changes made through the API"
        case .tooNew(let file):
            "\(file): written by a later version of Penstock; use that version, or another "
                + "state directory"
        case .full(let file):
            "\(file): the disk is full; free some space and try again"
        case .locked(let file):
            "\(file): another program keeps the database locked; "
                + "close it and try again"
        case .unusable(let file, let reason):
            "\(file): \(reason); check that the path exists and belongs to this user"
        case .malformedSecret(let file, let expected):
            "\(file): not \(expected); delete the file to have a new one made"
        case .staleGeneration(let stored, let offered):
            "generation \(offered) is not above the stored \(stored); "
                + "somebody else has changed the traffic; read it again"
        }
    }
}
