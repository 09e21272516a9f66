// Every bound of this module, with the sum that chose the number. Nothing here grows past them.

enum Limits {
    /// A full scan reads two cache lines an endpoint: 256 cost about a microsecond. Above that
    /// the scanning algorithms compare two random endpoints instead.
    static let scannedEndpoints = 256
    /// Depths with a latency of their own, 24 bytes each; deeper ones are extrapolated.
    static let curveDepths = 256
    /// Loops on a hold board: the largest `workers` a plan allows. 16 bytes each, 4 KiB in all.
    static let loops = 256
    /// Endpoints a request remembers having tried: one bit each of a word. A plan allows ten tries.
    static let triedEndpoints = 64
    /// Header-affinity keys remembered as moved, per revision: 8 bytes each, 64 KiB.
    static let displacedKeys = 8192
    /// Longest single ejection: a replica that was repaired is back within five minutes.
    static let ejectionNanoseconds: Int64 = 300 * second
    /// Seconds over which retries are compared with requests.
    static let retryWindowSeconds: Int64 = 10
    /// Retries a second that are always allowed, so that a quiet service may retry at all.
    static let retriesPerSecondFree: Int64 = 10
    /// Scans repeated when another loop takes the slot between the scan and the reservation.
    /// Each repeat means another loop made progress; after eight the request is held.
    static let reservationAttempts = 8

    /// Samples before an estimated quantile is believed: at p95 one in twenty lies above it.
    static let quantileSamples = 40

    static let second: Int64 = 1_000_000_000
}
