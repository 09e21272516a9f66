// What a process and its successor say to each other, as text: a word and its fields, NUL between
// them, since no path and no sentence has one. Pure. A word that a later version says and this one
// does not know is not an error: it is `unknown`, and ignored.

package import TLS
package import Traffic

package enum HandoverMessage: Sendable, Equatable {
    // From the successor.

    /// Its configuration is valid; it wants to take over.
    case prepared(version: String)
    /// It serves, from these listeners among others.
    case serving(taken: [NetworkAddress])
    /// It keeps the state and the replicas from now on.
    case inCharge
    /// It ends, for this reason.
    case failed(String)

    // From the predecessor.

    /// The state directory's lock comes with this message.
    case lock
    /// The admin port's socket comes with this message.
    case admin(address: NetworkAddress)
    /// Sockets of a listener come with this message; others may come with the next.
    case listener(address: NetworkAddress, bound: NetworkAddress)
    case tickets(PassedTicketKeys)
    /// That was everything: begin to serve.
    case begin
    /// Nothing is written to the state any more: keep it.
    case yours
    /// Everybody who has to know has been told who serves now. The predecessor's end of the channel
    /// stays open until its last answer.
    case announced

    case unknown
}

extension HandoverMessage {
    package var bytes: [UInt8] {
        Array(fields.map { Array($0.utf8) }.joined(separator: [0]))
    }

    private var fields: [String] {
        switch self {
        case .prepared(let version): ["prepared", version]
        case .serving(let taken): ["serving"] + taken.map(\.description)
        case .inCharge: ["in charge"]
        case .failed(let cause): ["failed", Self.sentence(cause)]
        case .lock: ["lock"]
        case .admin(let address): ["admin", address.description]
        case .listener(let address, let bound):
            ["listener", address.description, bound.description]
        case .tickets(let tickets):
            ["tickets", String(tickets.rotated)] + tickets.keys.map(Self.hexadecimal)
        case .begin: ["begin"]
        case .yours: ["yours"]
        case .announced: ["announced"]
        case .unknown: ["unknown"]
        }
    }

    /// A message is at most 16 KiB, and of a longer cause nobody reads the end.
    private static func sentence(_ text: String) -> String {
        String(decoding: text.utf8.prefix(4096).map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    package init(_ bytes: [UInt8]) {
        let fields = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        self = Self.read(fields[0], Array(fields.dropFirst())) ?? .unknown
    }

    private static func read(_ word: String, _ fields: [String]) -> HandoverMessage? {
        switch word {
        case "prepared": fields.first.map { .prepared(version: $0) }
        case "serving": addresses(fields).map { .serving(taken: $0) }
        case "in charge": .inCharge
        case "failed": fields.first.map { .failed($0) }
        case "lock": .lock
        case "admin": addresses(fields)?.first.map { .admin(address: $0) }
        case "listener":
            addresses(fields).flatMap { both in
                both.count == 2 ? .listener(address: both[0], bound: both[1]) : nil
            }
        case "tickets": tickets(fields).map { .tickets($0) }
        case "begin": .begin
        case "yours": .yours
        case "announced": .announced
        default: nil
        }
    }

    /// Nil when one of them is no address.
    private static func addresses(_ fields: [String]) -> [NetworkAddress]? {
        let addresses = fields.compactMap { NetworkAddress($0) }
        return addresses.count == fields.count ? addresses : nil
    }

    private static func tickets(_ fields: [String]) -> PassedTicketKeys? {
        guard let rotated = fields.first.flatMap({ Int64($0) }) else { return nil }
        let keys = fields.dropFirst().compactMap(bytes(ofHexadecimal:))
        return PassedTicketKeys(keys: keys, rotated: rotated)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(ofHexadecimal text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
