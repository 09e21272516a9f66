// Comparison of secrets in a time that does not tell how much of them was right.

enum ConstantTime {
    static func areEqual(
        _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        // `|` and `^` bind equally in Swift: the parentheses are what makes this a comparison.
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
