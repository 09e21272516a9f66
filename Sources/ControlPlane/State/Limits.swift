// What the state may grow to, with the sum that chose each number. Together with `databaseBytes`
// they bound the directory whatever clients and replicas do.

package enum StateLimits {
    // Documents.

    /// The longest DNS name is 253; a path of three such with separators stays below.
    static let nameBytes = 512
    static let kindBytes = 63
    /// Kubernetes allows a spec of 1 MiB in all; ours are 2 to 20 KiB.
    static let specBytes = 256 * 1024
    static let statusBytes = 256 * 1024
    static let labels = 64
    static let labelKeyBytes = 63
    static let labelValueBytes = 253
    /// 500 deployments with 20 revisions are 10,000; five times that.
    static let documentsPerKind = 50_000
    package static let pageSize = 1000
    /// Of one transaction: a deployment with 1000 replicas and their events.
    static let editsPerTransaction = 4000
    package static let updateAttempts = 16

    // The change log: what a watcher may be behind.

    /// 2000 replicas that each pass 8 states are 16,000; three such storms.
    static let changes = 50_000
    /// Half a minute of writing at 2 MiB/s.
    static let changeBytes = 64 * 1024 * 1024
    static let changeAgeSeconds: Int64 = 24 * 3600
    /// How often in changes the log is cut, between the rounds of upkeep.
    static let changesBetweenCuts: UInt64 = 256
    /// Changes read at once: 256 of 8 KiB are 2 MiB a watcher.
    static let changesPerRead = 256
    /// Open dashboards, CLIs and controllers.
    static let watchers = 1000

    // Events.

    static let eventsPerTarget = 200
    /// 500 deployments with 200 each.
    static let events = 100_000
    static let eventAgeSeconds: Int64 = 30 * 24 * 3600
    /// The same event within this time is counted, not repeated.
    static let eventWindowSeconds: Int64 = 600
    static let reasonBytes = 64
    static let messageBytes = 2048

    // Audit: a million entries of 500 bytes are 500 MB; at 1000 changes a day, 2.7 years.

    static let auditEntries: UInt64 = 1_000_000
    static let auditAgeSeconds: Int64 = 3 * 366 * 24 * 3600
    static let actorBytes = 128
    static let actionBytes = 64
    static let auditDetailBytes = 8 * 1024

    // Idempotency: a day of 400 changes an hour. With more, the busiest token's oldest go first; a
    // client repeats within minutes, and 10 a second fill the table in a quarter of an hour.

    static let idempotencyRecords = 10_000
    static let idempotencyKeyBytes = 255
    static let answerBytes = 256 * 1024
    package static let idempotencyLifetime: Duration = .seconds(24 * 3600)

    // Tokens.

    static let tokens = 10_000
    static let noteBytes = 256
    static let grantsPerToken = 32
    static let environmentsPerGrant = 64
    package static let tokenLifetime: Duration = .seconds(90 * 24 * 3600)
    static let tokenLifetimeMax: Duration = .seconds(3660 * 24 * 3600)
    /// Last use is known to the minute: at most one write a minute and token.
    static let lastUsedSeconds: Int64 = 60

    // Operations, outbox, leases, tombstones.

    static let operationAgeSeconds: Int64 = 30 * 24 * 3600
    /// Finished ones that are kept; with 20 a deployment, 500 deployments have 10,000.
    static let finishedOperations = 10_000
    static let outboxMessages = 100_000
    static let outboxAttempts = 30
    static let topicBytes = 64
    static let payloadBytes = 256 * 1024
    static let leases = 10_000
    static let tombstoneAgeSeconds: Int64 = 400 * 24 * 3600
    static let tombstones = 20_000
    static let settingBytes = 64 * 1024

    // The database file.

    /// Beyond it commits fail as on a full disk, before the disk is really full.
    package static let databaseBytes: Int64 = 4 * 1024 * 1024 * 1024
    /// Larger files are checked after the start, not before: 400 MB took 0.33 s with a warm cache.
    static let checkedAtStartBytes: Int64 = 256 * 1024 * 1024
    /// A log this long is written back by force: some reader has kept it from shrinking.
    static let walBytes: Int64 = 64 * 1024 * 1024
    /// Of each connection; five connections have 10 MiB.
    static let pageCacheKiB = 2048
    static let readers = 4
    /// Pages given back to the file system in one round of upkeep: 4 MiB.
    static let pagesFreedPerRound = 1024
}
