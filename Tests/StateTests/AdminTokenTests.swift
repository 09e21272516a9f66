// The token's form: recognisable, checkable, unguessable.

import State
import Testing

@Suite struct AdminTokenTests {
    /// Counts up; the tests want to know what comes out, not to be surprised.
    struct CountingGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    @Test func `a made token is well formed`() {
        var generator = CountingGenerator(state: 1)
        let text = AdminToken.make(using: &generator).text
        #expect(text.hasPrefix("pst_a"))
        #expect(text.utf8.count == 41)
        #expect(AdminToken(text)?.text == text)
    }

    @Test func `two tokens differ`() {
        var generator = SystemRandomNumberGenerator()
        let first = AdminToken.make(using: &generator)
        #expect(first != AdminToken.make(using: &generator))
    }

    @Test func `one wrong character is noticed, wherever it stands`() {
        var generator = CountingGenerator(state: 2)
        let text = AdminToken.make(using: &generator).text
        for index in text.indices {
            var mistyped = text
            let other: Character = text[index] == "x" ? "y" : "x"
            mistyped.replaceSubrange(index...index, with: [other])
            #expect(AdminToken(mistyped) == nil, "position \(index)")
        }
    }

    @Test(arguments: ["", "pst_a", "pst_a0123", "ghp_0123456789"])
    func `what is not a token is none`(text: String) {
        #expect(AdminToken(text) == nil)
    }
}
