// Every bound of what a document may say, with the sum that chose the number. All of them together
// keep one deployment below a tenth of the 1 MiB that a request may have.

enum Limits {
    /// More than fit on a few screens are not told; the rest shows when these are gone.
    static let problems = 100
    /// Models and versions become segments of paths and file names (255 bytes).
    static let nameCharacters = 128
    /// PATH_MAX without its end.
    static let pathCharacters = 4095
    static let descriptionCharacters = 4096
    /// An address with a name and a team.
    static let ownerCharacters = 256
    static let labels = 64
    static let labelNameCharacters = 128
    static let labelCharacters = 256
    static let replicas = 256
    static let arguments = 256
    /// Long JSON settings on a command line do exist.
    static let argumentCharacters = 16_384
    static let variables = 256
    static let variableNameCharacters = 256
    static let variableCharacters = 16_384
    /// Of arguments and variables together: half of what exec takes with the usual stack limit.
    static let processBytes = 1_048_576
    static let configs = 16
    /// Kept of a secret or config beyond those that revisions name: more are set by mistake only.
    static let variableVersions = 100
    /// All versions of one together: three quarters of what a document may have.
    static let variableBytes = 196_608
    /// Names of removed secrets whose last number is known; those before them raise the number
    /// that every new name begins with. 40 bytes each.
    static let spentNumbers = 1000
    /// Of a secret: a key with its chain of certificates.
    static let secretCharacters = 65_536
    static let smokePaths = 16
    static let reasonCharacters = 1000
    static let dayOfSeconds = Duration.seconds(24 * 3600)
    /// A model in many shards, with its tokenizer and code: a hundred times what is usual.
    static let artifactFiles = 100_000
    /// Read at once when a digest is taken: large enough for any disk, small beside a model.
    static let readBytes = 1_048_576
    /// No host of today has more.
    static let memoryBytes: ClosedRange<Int64> = 1_048_576...70_368_744_177_664
    static let storageBytes: ClosedRange<Int64> = 1_048_576...1_125_899_906_842_624
}
