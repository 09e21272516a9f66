// A request remembers the endpoints it has tried.

import Balancing
import Testing

@Suite struct ChoicesTests {
    @Test func `an endpoint tried is not chosen while another is usable`() {
        var fleet = Fleet(service())
        var request = ChoiceRequest()
        request.recordTry(of: 0)
        request.recordTry(of: 2)
        for _ in 0..<10 { #expect(fleet.serve(request) == 1) }
    }

    @Test func `an endpoint beyond the sixty-fourth is not remembered`() {
        var request = ChoiceRequest()
        request.recordTry(of: 64)
        #expect(request.tried == 0)
        request.recordTry(of: 63)
        #expect(request.tried == 1 << 63)
    }
}
