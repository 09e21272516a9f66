// Keys of the contract that are read and checked, but refused as "not supported yet" while the data
// plane does not honour them. To put one in force is one word here.

package struct Features: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// `listeners[].tls`, `revisions[].tls`, and `protocol: auto`, which needs it.
    package static let tls = Features(rawValue: 1)

    /// What this version does.
    package static let inForce: Features = [.tls]
}
