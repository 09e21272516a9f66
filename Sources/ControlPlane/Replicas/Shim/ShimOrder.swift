// What a shim is told to run, in the form that it reads: `key=value` entries, each ended by NUL. It
// goes through a descriptor that only the two have, because it holds the replica's secrets.

struct ShimOrder: Sendable, Equatable {
    var folder: String
    var nonce: String
    var boot: String
    var logs: String
    var run: Int
    var bounds: LogBounds
    var graceMilliseconds: Int
    var program: String
    var arguments: [String]
    var variables: [String: String]
    var directory: String?
    /// Directories of the control groups to join.
    var groups: [String] = []

    /// RLIMIT_CORE, which is 4 on every architecture Linux has: a core of a model of 50 GB would
    /// fill the disk.
    private static let noCore = "4:0"

    /// Nil when a value holds NUL, which no argument, variable or path can carry.
    var bytes: [UInt8]? {
        var entries = [
            ("folder", folder), ("nonce", nonce), ("boot", boot), ("logs", logs),
            ("run", "\(run)"), ("segment", "\(bounds.segmentBytes)"),
            ("segments", "\(bounds.segments)"), ("grace", "\(graceMilliseconds)"),
            ("program", program), ("limit", Self.noCore),
        ]
        if let directory { entries.append(("directory", directory)) }
        entries += arguments.map { ("argument", $0) }
        entries += variables.sorted { $0.key < $1.key }.map {
            ("variable", "\($0.key)=\($0.value)")
        }
        entries += groups.map { ("group", $0) }
        var bytes: [UInt8] = []
        for (key, value) in entries {
            if value.utf8.contains(0) { return nil }
            bytes += "\(key)=\(value)".utf8
            bytes.append(0)
        }
        return bytes
    }
}
