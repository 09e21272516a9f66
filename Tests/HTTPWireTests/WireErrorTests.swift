// Every refusal has a status a client understands, and a word and a sentence of its own.

import HTTPWire
import Testing

@Suite struct WireErrorTests {
    @Test func `every refusal has a client or server error status`() {
        for error in WireError.allCases {
            #expect([400, 414, 417, 431, 501, 505].contains(error.status), "\(error)")
        }
    }

    @Test func `codes and reasons are unique`() {
        let codes = Set(WireError.allCases.map { "\($0.code)" })
        let reasons = Set(WireError.allCases.map { "\($0.reason)" })
        #expect(codes.count == WireError.allCases.count)
        #expect(reasons.count == WireError.allCases.count)
    }

    @Test func `codes are words joined by underscores`() {
        for error in WireError.allCases {
            let code = "\(error.code)"
            #expect(code.allSatisfy { $0 == "_" || $0.isLowercase || $0.isNumber }, "\(code)")
        }
    }
}
