// Training data: comma-separated numbers with the label last, one header line. Pure.

package struct TrainingTable: Equatable, Sendable {
    package var features: [String]
    /// In order of first appearance.
    package var labels: [String]
    package var rows: [Row]

    package struct Row: Equatable, Sendable {
        package var features: [Double]
        /// Index into `labels`.
        package var label: Int
    }

    package init(parsing text: String) throws(TrainingError) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let header = lines.first else { throw .noData }
        let columns = header.split(separator: ",", omittingEmptySubsequences: false)
        guard columns.count >= 2 else { throw .badLine(1, "a header of two columns or more") }
        features = columns.dropLast().map(String.init)
        labels = []
        rows = []
        for (index, line) in lines.enumerated().dropFirst() {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            let numbers = cells.dropLast().compactMap { Double($0) }.filter(\.isFinite)
            guard numbers.count == features.count, cells.count == columns.count,
                let label = cells.last.map(String.init), !label.isEmpty
            else {
                throw .badLine(index + 1, "\(features.count) numbers and a label")
            }
            if !labels.contains(label) { labels.append(label) }
            rows.append(Row(features: numbers, label: labels.firstIndex(of: label) ?? 0))
        }
        guard labels.count >= 2 else { throw .noData }
    }

    /// Every fifth row of each label, after shuffling, is held out; the same for the same seed.
    package func split(seed: UInt64) -> (training: [Row], heldOut: [Row]) {
        var generator = SplitMix64(seed: seed)
        var training: [Row] = []
        var heldOut: [Row] = []
        for label in labels.indices {
            let own = rows.filter { $0.label == label }.shuffled(using: &generator)
            for (index, row) in own.enumerated() {
                if index % 5 == 4 { heldOut.append(row) } else { training.append(row) }
            }
        }
        return (training, heldOut)
    }
}

package enum TrainingError: Error, Equatable, CustomStringConvertible {
    case noData
    case badLine(Int, String)

    package var description: String {
        switch self {
        case .noData: "a header line and rows of at least two different labels expected"
        case .badLine(let number, let expected): "line \(number): \(expected) expected"
        }
    }
}

/// Steele, Lea and Flood's generator: small, and the same on every machine.
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
