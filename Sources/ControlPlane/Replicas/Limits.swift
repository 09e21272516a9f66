// What supervision keeps and waits for at most, with the sum that chose each number.

package enum Limits {
    /// A DNS label has 63 bytes; a deployment's name with "-r12-345" after it stays below this.
    static let nameBytes = 96
    /// `sun_path` holds 108 bytes, the last of them NUL.
    static let socketPathBytes = 107
    /// Usage comes every few seconds: a consumer may be busy for some minutes.
    static let unreadFacts = 64

    /// 4 MiB are some 40,000 lines and open quickly in an editor.
    package static let logSegmentBytes = 4 * 1024 * 1024
    /// 16 MiB a run, 48 MiB a replica name.
    package static let logSegments = 4
    package static let logRuns = 3
    /// Replica names of one deployment whose logs stay; beyond that the longest silent go.
    static let logFolders = 64
    /// What deployments that are gone leave behind: long enough to ask why, as many as a team
    /// deletes in that time, and about ten deployments that filled all that they may.
    static let abandonedSeconds: Double = 30 * 86_400
    static let abandonedNames = 200
    static let abandonedBytes = 1024 * 1024 * 1024
    /// How often that is looked at: it only has to keep up with deletions by hand.
    package static let forgettingPeriod: Duration = .seconds(600)
    /// One page of lines: what a terminal or a browser can show.
    package static let logPageLines = 10_000
    package static let logPageBytes = 4 * 1024 * 1024
    /// How often a follower looks for more: below what a reader notices.
    static let followPeriod: Duration = .milliseconds(200)

    /// What of a log goes into a dossier: lines of each output, and their bytes.
    static let dossierLines = 40
    static let dossierBytes = 16 * 1024
    /// A crash loop at the longest pause makes 60 an hour: the last hour and a bit.
    static let dossiersPerDeployment = 64
    /// Larger files were not written here.
    static let recordBytes = 1024 * 1024

    /// A hundred bytes a GPU.
    static let toolBytes = 64 * 1024
    /// A driver that takes longer to answer has a problem of its own.
    static let toolMilliseconds: Int32 = 5000

    /// Arguments and environment; the kernel takes 6 MiB at most.
    static let specBytes = 4 * 1024 * 1024
    /// The shim has to be loaded and to write a file; a machine that swaps may need this long.
    static let shimPatience: Duration = .seconds(20)
    /// An answer over the control socket takes microseconds.
    static let controlPatience: Duration = .seconds(3)
    /// A shim that nobody wants is killed at the start, one after the other.
    static let strayMilliseconds: Int32 = 1000
    /// After the grace the shim kills; it gives up on what cannot be killed after five seconds.
    package static let endingPatience: Duration = .seconds(10)

    /// Each finds what was started while the one before killed; what starts faster is no server.
    static let sweeps = 20
    /// The kernel's part of a kill; a thousand processes then take as long as one that is stuck.
    static let sweepMilliseconds: Int32 = 100
    /// The mark is among the variables that Penstock hands over: mostly some KiB, and of very long
    /// ones the rest is not read.
    static let environmentBytes = 256 * 1024

    /// A walk over 64 GiB in small pages takes some 200 ms: two in a hundred at most.
    static let exactMemoryPeriod: Duration = .seconds(10)
    /// What several processes may share before it is worth a walk.
    static let sharedBytes = 16 * 1024 * 1024

    /// Threads count, too: a large model server on 64 cores has some hundreds.
    static let processes = 4096
    /// Below the kernel's own range for outgoing connections, which begins at 32768.
    static let ports = 20_000..<30_000

    /// A model of 50 GB at 200 MB/s loads in 250 s; beyond that it hangs.
    package static let loading: Duration = .seconds(600)
    /// The shim's and the program's exec, twice its own patience.
    package static let spawning: Duration = .seconds(40)
    /// Some smoke requests, each with the slowest model's patience of 60 s.
    package static let warming: Duration = .seconds(180)
    /// Good probes in a row that prove a replica ready.
    static let rise = 2
}
