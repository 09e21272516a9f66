// Every bound of the access log, with the sum that chose it.

enum AccessLogLimits {
    /// Per loop: 60,000 requests a second × 350 B = 21 MB/s, so half of it lasts 25 ms: long
    /// enough for the writer to wake and write, far longer than a write into the page cache.
    static let ringBytes = 1 << 20
    /// Lines reach the file this late at most while requests flow; a wake of the writer costs
    /// 10 µs, so ten a second are nothing.
    static let gatherMilliseconds: Int32 = 100
    /// How long a pipe may take nothing before its lines are dropped: the rings of loops at full
    /// speed are full after 50 ms anyway.
    static let patienceMilliseconds: Int32 = 200
    /// Texts are cut here. Paths: what log tools still show; ids and names: their own limits.
    static let pathBytes = 4096
    static let nameBytes = 256
    /// Path and five names escaped at six bytes a byte, the address, and 1 KiB for all the rest:
    /// 33 KiB.
    static let lineBytes = 6 * (pathBytes + 6 * nameBytes) + 1024
}
