// Logarithm and exponential in plain Swift, each as the other's oracle and against known values.

import Balancing
import Testing

@Suite struct LogarithmsTests {
    @Test(arguments: [
        (1.0, 0.0), (2.0, 0.693_147_180_559_945_3), (10.0, 2.302_585_092_994_046),
        (1e9, 20.723_265_836_946_41), (0.001, -6.907_755_278_982_137),
    ])
    func `known logarithms`(x: Double, expected: Double) {
        #expect(abs(Logarithms.ln(x) - expected) < 1e-9)
    }

    @Test func `the exponential undoes the logarithm`() {
        var x = 1e-12
        while x < 1e15 {
            #expect(abs(Logarithms.exp(Logarithms.ln(x)) / x - 1) < 1e-9, "\(x)")
            x *= 1.37
        }
    }

    @Test func `the exponential stays finite`() {
        #expect(Logarithms.exp(1e6).isFinite)
        #expect(Logarithms.exp(-1e6) > 0)
    }
}
