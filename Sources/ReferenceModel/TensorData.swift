// The `data` of a JSON tensor: flat, or nested as the shape says. Kept flat with the nesting found,
// so that a ragged list can be refused rather than reshaped by accident.

struct TensorData: Decodable {
    var values: [Double]
    /// List lengths from the outside in; one entry when flat.
    var nesting: [Int]

    init(from decoder: any Decoder) throws {
        var first = try decoder.unkeyedContainer()
        let single = try decoder.singleValueContainer()
        // Only to learn which kind of list it is; the decoding that follows reports what is wrong.
        if (try? first.nestedUnkeyedContainer()) != nil {
            (values, nesting) = try Self.nested(decoder)
        } else if (try? first.decode(Bool.self)) != nil {
            values = try single.decode([Bool].self).map { $0 ? 1 : 0 }
            nesting = [values.count]
        } else {
            values = try single.decode([Double].self)
            nesting = [values.count]
        }
    }

    private static func nested(_ decoder: any Decoder) throws -> ([Double], [Int]) {
        guard decoder.codingPath.count < 16 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "nested too deep"))
        }
        var list = try decoder.unkeyedContainer()
        var values: [Double] = []
        var inner: [Int]?
        while !list.isAtEnd {
            let row = try list.decode(TensorData.self)
            guard inner == nil || inner == row.nesting else {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "lists of different lengths"))
            }
            inner = row.nesting
            values += row.values
        }
        return (values, [list.currentIndex] + (inner ?? []))
    }
}
