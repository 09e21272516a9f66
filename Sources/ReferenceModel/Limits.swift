// What the model server accepts at most, with the sum that chose each number.

package enum Limits {
    /// Weights of 100 layers of 100 × 100 numbers of about 20 characters: 20 MB.
    static let artifactBytes = 32 * 1024 * 1024
    /// 65,536 rows of four numbers of some 20 characters of JSON: 5 MB, three times over.
    package static let requestBytes = 16 * 1024 * 1024
    package static let batchRows = 65_536
    /// Requests waiting for one of `--concurrency` slots; beyond that a 503 is more honest.
    static let waiting = 4096
}
