// Header-affinity keys whose own endpoint was unusable, and where they went: a session moves once,
// not back and forth with each recovery. A fixed table; keys that share a place displace each
// other, and the one forgotten returns to its first choice.

final class DisplacedKeys: Sendable {
    private let memory: SharedMemory<SharedInteger>
    var records: SharedRecords<SharedInteger> { memory.records }

    /// - Parameter isNeeded: the service has header affinity; else the table has a single place.
    init(isNeeded: Bool) {
        let count = isNeeded ? Limits.displacedKeys : 1
        memory = SharedMemory(count: count) { _ in SharedInteger(0) }
    }

    /// Forty bits that tell keys in one place apart, and twenty-four of the endpoint's tag: one
    /// word, so that loops never see half an entry.
    static func entry(key: UInt64, tag: UInt64) -> Int64 {
        Int64(bitPattern: mixed(key) & ~0xff_ffff | tag >> 40)
    }

    static func place(of key: UInt64, in count: Int) -> Int { Int(mixed(key) % UInt64(count)) }
}
