// Which traces go on (W3C Trace Context, 3.2): an identity that is none begins a new one.

import Proxying
import Testing

@Suite struct TraceParentTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let parent = "00f067aa0ba902b7"

    private func isValid(_ text: String) -> Bool {
        let owned = TextBytes(text)
        return withExtendedLifetime(owned) { TraceParent.isValid(owned.bytes) }
    }

    @Test func `a well-formed identity goes on, whatever its flags`() {
        for flags in ["00", "01", "ff"] { #expect(isValid("00-\(trace)-\(parent)-\(flags)")) }
    }

    @Test func `a later version may say more behind what is known`() {
        #expect(isValid("cc-\(trace)-\(parent)-01-what-the-future-holds"))
        #expect(!isValid("00-\(trace)-\(parent)-01-more"))
        #expect(!isValid("ff-\(trace)-\(parent)-01"))
    }

    @Test func `zeros are no identity`() {
        #expect(!isValid("00-\(String(repeating: "0", count: 32))-\(parent)-01"))
        #expect(!isValid("00-\(trace)-0000000000000000-01"))
    }

    @Test func `any other shape is none`() {
        let good = "00-\(trace)-\(parent)-01"
        #expect(!isValid("") && !isValid(String(good.dropLast())) && !isValid(good + "0"))
        #expect(!isValid(good.uppercased()) && !isValid(good.replacing("-", with: "_")))
        #expect(!isValid(good.replacing("4", with: "g")))
        #expect(!isValid("cc-\(trace)-\(parent)-01" + String(repeating: "x", count: 300)))
    }
}
