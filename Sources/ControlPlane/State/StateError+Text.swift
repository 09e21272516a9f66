// The words of each error.

extension StateError: CustomStringConvertible {
    package var description: String {
        directoryText ?? conditionText ?? requestText
    }

    private var directoryText: String? {
        switch self {
        case .inUse(let file, let holder):
            "\(file): another Penstock uses this state directory (\(holder)); "
                + "stop it or choose another directory"
        case .corrupt(let file, let reason):
            "\(file): the database is damaged (\(reason)); stop Penstock and restore a backup "
                + "with 'penstock restore', or move the file and 'audit.checkpoint' away to start "
                + "afresh without the changes made through the API"
        case .behind(let file, let entries, let checkpoint, let vouched):
            "\(file): the database has lost what it held: its audit log ends at \(entries), and "
                + "\(checkpoint) vouches for \(vouched); restore a backup with 'penstock restore', "
                + "or move both files away to start afresh, without deployments, tokens and "
                + "history, which ends the replicas that run"
        case .tooNew(let file):
            "\(file): written by a later version of Penstock; use that version, or another "
                + "state directory"
        case .full(let file):
            "\(file): the disk is full, or the database has reached its limit; free some space "
                + "and try again"
        case .locked(let file):
            "\(file): another program keeps the database locked; close it and try again"
        case .unusable(let file, let reason):
            "\(file): \(reason); check that the path exists and belongs to this user"
        case .malformedSecret(let file, let expected):
            "\(file): not \(expected); delete the file to have a new one made"
        case .sealed(let what):
            "\(what) was sealed with another key; put the old 'secrets.key' back into the state "
                + "directory, or set the secret again"
        case .readOnly(let reason):
            "changes are refused for the moment, traffic is served as before: \(reason)"
        case .handingOver:
            "an upgrade is under way; try again in a moment"
        case .notABackup(let file, let reason):
            "\(file): no backup of a Penstock state (\(reason))"
        case .auditBroken(let id):
            "the audit log does not have entry \(id) as it was signed; 'penstock audit verify' "
                + "tells more"
        case .wouldReplace(let file):
            "\(file): this exists already, and was not to be replaced"
        default: nil
        }
    }

    private var conditionText: String? {
        switch self {
        case .exists(let key, _):
            "there is a \(key.kind) '\(key.name)' already"
        case .missing(let key):
            "there is no \(key.kind) '\(key.name)'"
        case .stale(let key, let expected, let found):
            "\(key.kind) '\(key.name)' is at version \(found), not \(expected); somebody has "
                + "changed it; read it again"
        case .operationActive(let target, let operation):
            "operation \(operation) is at work on \(target.kind) '\(target.name)'"
        case .leaseHeld(let name, let holder, let until):
            "lease '\(name)' is held by \(holder) until \(Moment.text(until))"
        case .fenced(let lease):
            "lease '\(lease)' has passed to somebody else"
        case .idempotencyLost(let key):
            "the request with idempotency key '\(key)' has expired or was finished by another"
        case .staleGeneration(let stored, let offered):
            "generation \(offered) is not above the stored \(stored); "
                + "somebody else has changed the traffic; read it again"
        default: nil
        }
    }

    private var requestText: String {
        switch self {
        case .compacted(let since, let oldest):
            "changes since \(since) are no longer known (the oldest is \(oldest)); list again, "
                + "then watch since that list's sequence"
        case .badPageToken:
            "the page token is not one that was issued for this query; start with the first page"
        case .invalid(let what, let reason): "\(what): \(reason)"
        case .tooLarge(let what, let bytes, let limit):
            "\(what): \(bytes) bytes; at most \(limit)"
        case .tooMany(let what, let limit): "too many \(what); at most \(limit)"
        case .noRoom(let what, let limit):
            "there is no room for more \(what): \(limit) are kept"
        case .unreadable(let what, let reason): "\(what) cannot be understood: \(reason)"
        case .closed: "the state directory has been closed"
        default: "the state directory cannot be used"
        }
    }
}
