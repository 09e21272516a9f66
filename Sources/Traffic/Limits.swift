// What of this module could grow, and the sum behind each number.

enum Limits {
    /// Statuses of gRPC that are told apart, 0 to 16: all there are. Each is a histogram per
    /// revision and loop that begins with its first call, 0.3 KiB and 0.5 KiB per octave of latency
    /// seen: with calls that end in three ways within eight octaves 13 KiB, and 286 KiB at the very
    /// most, of a replica that tells every status at every latency up to 73 minutes.
    static let grpcStatuses = 17
}
