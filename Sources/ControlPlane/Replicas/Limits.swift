// What supervision keeps and waits for at most, with the sum that chose each number.

package enum Limits {
    /// One log a replica, and as much again in its predecessor: 16 MiB a replica on disk.
    static let logBytes = 8 * 1024 * 1024
    /// What of a log goes into the dossier of an exit: some 40 lines of 200 characters.
    static let dossierBytes = 8 * 1024
    static let dossierLines = 40
    /// `sun_path` holds 108 bytes, the last of them NUL.
    static let socketPathBytes = 107
    /// A model of 50 GB at 200 MB/s loads in 250 s; beyond that it hangs.
    static let loading: Duration = .seconds(600)
    /// Good probes in a row that prove a replica ready.
    static let rise = 2
}
