// A failed system call says which one it was, and why.

import Reactor
import Testing

@Suite struct SystemErrorTests {
    @Test func `a failed call names the call, the reason and the number`() {
        let error = SystemError(call: "bind", code: 98)
        #expect(error.description == "bind: Address already in use (98)")
    }

    @Test func `an unknown number is still reported`() {
        #expect(SystemError(call: "read", code: 9999).description == "read: Unknown error (9999)")
    }
}
