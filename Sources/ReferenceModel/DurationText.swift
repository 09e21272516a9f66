// Durations as the contract spells them: `250ms`, `5s`, `1m`, `1h`.

package enum DurationText {
    package static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        for (unit, seconds) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number.isFinite,
                number >= 0, number * seconds < 1_000_000
            else { return nil }
            return .seconds(number * seconds)
        }
        return nil
    }
}
