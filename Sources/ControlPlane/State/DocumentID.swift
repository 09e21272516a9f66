// Ids in the form of ULIDs: 48 bits of milliseconds and 80 of chance in 26 letters and digits. They
// sort by creation and are never met twice. Time and chance are arguments.

package import Foundation

package enum DocumentID {
    package static func make(
        at date: Date, using generator: inout some RandomNumberGenerator
    ) -> String {
        let milliseconds = UInt64(max(0, Moment.milliseconds(date))) & 0xFFFF_FFFF_FFFF
        let high = UInt64.random(in: 0..<1 << 40, using: &generator)
        let low = UInt64.random(in: 0..<1 << 40, using: &generator)
        let text =
            digits(milliseconds, count: 10) + digits(high, count: 8) + digits(low, count: 8)
        return String(decoding: text, as: UTF8.self)
    }

    package static func isWellFormed(_ text: String) -> Bool {
        text.utf8.count == 26 && text.utf8.allSatisfy(alphabet.contains)
    }

    /// Five bits each, most significant first.
    private static func digits(_ value: UInt64, count: Int) -> [UInt8] {
        (0..<count).reversed().map { alphabet[Int(value >> (5 * UInt64($0)) & 31)] }
    }

    /// Crockford's: no I, L, O or U, which are misread.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
