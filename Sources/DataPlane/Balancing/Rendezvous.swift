// Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer): each key
// ranks all endpoints by cost, the least wins. Without an endpoint each of its keys goes to its own
// next choice and no other key moves; about 1/n of the keys are an endpoint's.

enum Rendezvous {
    /// An exponentially distributed cost from a hash, to be divided by the weight.
    static func cost(hash: UInt64) -> Double {
        // 53 bits in the open interval 0..1: never ln 0.
        -Logarithms.ln((Double(hash >> 11) + 0.5) * 0x1p-53)
    }
}
