// What a client of the admin port may hold, and for how long, with the sum that chose each number.

package enum AdminLimits {
    /// People, scrapers, a CLI: more than this is somebody's mistake.
    static let connections = 256
    /// Taken beyond that while those that have to go are going.
    package static let connectionsTaken = connections + 32
    /// From the accept to the end of the first head, TLS included: what comes is one packet.
    static let firstHeadSeconds: Int64 = 10
    /// Between an answer and the end of the next head; bytes of it do not make it longer.
    static let keepAliveSeconds: Int64 = 60
    /// A megabyte in a minute is 17 KB a second.
    static let bodySeconds: Int64 = 60
    /// Answers that the system keeps for a client that does not read: the largest there usually is.
    /// Left to itself it takes megabytes, and whoever asks on and on has them all made.
    static let unsentBytes = 256 * 1024
    /// How long a client may leave what it has asked for unread.
    static let stallSeconds: Int64 = 60
    /// Backups made through the API that are kept: one a day for a month.
    static let backups = 31
    /// All of them: four of the largest state there can be.
    static let backupBytes: Int64 = 16 * 1024 * 1024 * 1024
}
