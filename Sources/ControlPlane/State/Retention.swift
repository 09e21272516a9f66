// How much is kept, and for how long. The defaults are the limits; tests have smaller ones.

package struct Retention: Sendable {
    package var changes = StateLimits.changes
    package var changeBytes = StateLimits.changeBytes
    package var changeAgeSeconds = StateLimits.changeAgeSeconds
    package var changesBetweenCuts = StateLimits.changesBetweenCuts
    package var eventsPerTarget = StateLimits.eventsPerTarget
    package var events = StateLimits.events
    package var eventAgeSeconds = StateLimits.eventAgeSeconds
    package var auditEntries = StateLimits.auditEntries
    package var auditAgeSeconds = StateLimits.auditAgeSeconds
    package var idempotencyRecords = StateLimits.idempotencyRecords
    package var operationAgeSeconds = StateLimits.operationAgeSeconds
    package var finishedOperations = StateLimits.finishedOperations
    package var tombstoneAgeSeconds = StateLimits.tombstoneAgeSeconds
    package var tombstones = StateLimits.tombstones
    package var documentsPerKind = StateLimits.documentsPerKind
    package var outboxMessages = StateLimits.outboxMessages

    package init() {}
}

package struct StoreOptions: Sendable {
    /// How long a commit waits for another program that holds the database.
    package var patience: Duration = .seconds(2)
    package var databaseBytes = StateLimits.databaseBytes
    package var retention = Retention()

    package init() {}
}
