// What a shim is told to run, in the form that it reads: `key=value` entries, each ended by NUL. It
// goes through a descriptor that only the two have, because it holds the replica's secrets.

package struct ShimOrder: Sendable, Equatable {
    package var folder: String
    package var nonce: String
    package var boot: String
    package var logs: String
    package var run: Int
    package var bounds: LogBounds
    package var graceMilliseconds: Int
    package var program: String
    package var arguments: [String]
    package var variables: [String: String]
    package var directory: String?
    /// Directories of the control groups to join.
    package var groups: [String]

    package init(
        folder: String,
        nonce: String,
        boot: String,
        logs: String,
        run: Int,
        bounds: LogBounds,
        graceMilliseconds: Int,
        program: String,
        arguments: [String],
        variables: [String: String],
        directory: String? = nil,
        groups: [String] = []
    ) {
        self.folder = folder
        self.nonce = nonce
        self.boot = boot
        self.logs = logs
        self.run = run
        self.bounds = bounds
        self.graceMilliseconds = graceMilliseconds
        self.program = program
        self.arguments = arguments
        self.variables = variables
        self.directory = directory
        self.groups = groups
    }

    /// RLIMIT_CORE, which is 4 on every architecture Linux has: a core of a model of 50 GB would
    /// fill the disk.
    private static let noCore = "4:0"

    /// Nil when a value holds NUL, which no argument, variable or path can carry.
    package var bytes: [UInt8]? {
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
