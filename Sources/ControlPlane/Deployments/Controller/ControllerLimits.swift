// What the controller keeps and waits for at most, with the sum that chose each number.

extension Limits {
    /// Two decimal digits of roll-backs are more than anyone goes.
    static let goodRevisions = 20
    /// At least 20 are promised; a document of 64 KiB each makes 3 MiB a deployment.
    static let revisionsKept = 50
    /// A change is decided anew when what it names has changed meanwhile; more is a quarrel.
    static let decisionAttempts = 8
    /// Changes that wait for the one at work; more is a client gone wild.
    static let queuedOperations = 16
    /// Steps of one deployment in one pass: a replica has nine phases, and a pass ends by itself
    /// when nothing changes; this only bounds a mistake.
    static let stepsInPass = 64
    /// The report adds up every counter of every endpoint; polling it may take so much of a core.
    static let reportShare = 0.05
    static let reportPause: ClosedRange<Duration> = .milliseconds(25)...(.seconds(2))
    /// Looking at health, errors and latency.
    static let watchPause = Duration.seconds(1)
    /// Looking at what time alone changes: no mistake in a moment makes a loop of it, and a timer
    /// that nobody needs any more does not lie about for long.
    static let wakePause: ClosedRange<Duration> = .milliseconds(2)...(.seconds(10))
    /// A commit that failed is tried again; the store itself tries the disk once a second.
    static let commitPause = Duration.seconds(1)
    /// Workers swap plans between two batches of events.
    static let acknowledgementPause: ClosedRange<Duration> = .milliseconds(1)...(.milliseconds(50))
    /// Asking a replica that loads: often at first, since small models load in a moment.
    static let probePause: ClosedRange<Duration> = .milliseconds(20)...(.milliseconds(250))
    /// Requests that a replica has to answer through the data path, each path once.
    static let proofAttempts = 3
    static let proofPause = Duration.milliseconds(200)
    /// Learned load times are multiplied by it, and are at least this long.
    static let progressFactor = 3.0
    static let progressSecondsMin = 120.0
}
