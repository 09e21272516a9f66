// The gateway's own answers as a table: every case has a code of its own, a status with a title,
// and somebody whose fault it is.

import Proxying
import Testing
import Traffic

@Suite struct RefusalCodeTests {
    private let told = RefusalCode.allCases.filter { $0 != .none }

    @Test func `codes are words that differ`() {
        let codes = told.map { $0.code.description }
        #expect(Set(codes).count == codes.count)
        for code in codes {
            #expect(!code.isEmpty && code.allSatisfy { $0 == "_" || $0.isLowercase })
        }
    }

    @Test func `each is explained in a sentence that needs no escaping`() {
        for code in told {
            let detail = code.detail.description
            #expect(detail.hasSuffix(".") && detail.count > 20)
            #expect(detail.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c })
        }
    }

    @Test func `each status that leaves the gateway has a title`() {
        for code in told where code.status != 499 {
            #expect((400...504).contains(code.status))
            #expect(RefusalCode.title(of: code.status).description != "Error")
        }
    }

    @Test func `the class of the status agrees with whose fault it is`() {
        for code in told {
            switch code.outcome {
            case .client: #expect((400..<500).contains(code.status) || code.status == 501)
            case .overload: #expect(code.status == 503)
            case .timeout: #expect(code.status == 504)
            case .transport: #expect([502, 503].contains(code.status))
            case .cancelled: #expect(code.status == 499)
            case .success, .model: Issue.record("\(code) is neither a success nor a model's answer")
            }
        }
    }

    @Test func `a replica is blamed for what it did and for nothing else`() {
        let blamed = told.filter(\.isReplicasFault)
        #expect(
            blamed == [
                .unreachable, .connectTimeout, .reset, .malformedAnswer, .firstByteTimeout,
                .streamTimeout, .upstreamTLS, .cannotUpgrade,
            ])
    }
}
