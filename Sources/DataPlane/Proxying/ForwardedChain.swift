// Who asked, behind a chain of proxies: each appends to X-Forwarded-For whom it saw. Read from the
// right, where our neighbour wrote, past everybody who is trusted; what stands further left is
// anybody's word. Pure, bounded, and without a copy.

import HTTPWire
package import Reactor
package import Traffic

package struct ForwardedChain {
    package enum Client {
        /// The lists name nobody.
        case none
        case address(AddressBits)
        /// A trusted proxy's word for somebody whose address it does not tell.
        case name(Bytes)
    }

    /// The best answer so far.
    package private(set) var client = Client.none
    private var elementsLeft = Limits.forwardedElements

    package init() {}

    /// Reads one field's list; the fields come last to first.
    ///
    /// - Returns: true when the answer is final.
    package mutating func read(_ list: Bytes, trusted: [AddressRange]) -> Bool {
        var end = list.count
        while true {
            let element = ForwardedChain.lastElement(of: list, before: end)
            if !element.text.isEmpty {
                guard elementsLeft > 0 else { return true }
                elementsLeft -= 1
                guard let bits = AddressText.node(element.text.span) else {
                    client = .name(element.text)
                    return true
                }
                let address = AddressBits(high: bits.high, low: bits.low)
                client = .address(address)
                if !GatewayRules.holds(address, in: trusted) { return true }
            }
            if element.comma < 0 { return false }
            end = element.comma
        }
    }

    /// What stands before `end` and behind the comma there, -1 if there is none.
    private static func lastElement(
        of list: Bytes, before end: Int
    ) -> (text: Bytes, comma: Int) {
        let span = list.span
        var comma = end - 1
        while comma >= 0, span.byte(comma) != 0x2C { comma -= 1 }
        var start = comma + 1
        var stop = end
        while start < stop, ByteClass.isSpace(span.byte(start)) { start += 1 }
        while stop > start, ByteClass.isSpace(span.byte(stop - 1)) { stop -= 1 }
        return (list.slice(from: start, count: stop - start), comma)
    }
}
