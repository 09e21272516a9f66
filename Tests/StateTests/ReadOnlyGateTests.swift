// Who may try while nothing can be stored: one at a time, and nobody once the file is damaged.

import State
import Testing

@Suite struct ReadOnlyGateTests {
    private let full = StateError.full(file: "penstock.db")

    private func closed(by error: StateError) throws -> ReadOnlyGate {
        var gate = ReadOnlyGate()
        gate.end(try gate.admit(), with: error)
        return gate
    }

    @Test func `a sound store admits everybody`() throws {
        var gate = ReadOnlyGate()
        let first = try gate.admit()
        let second = try gate.admit()
        try gate.begin(first)
        try gate.begin(second)
        gate.end(first, with: nil)
        #expect(gate.reason == nil)
    }

    @Test func `after a fault one may find out, the others are refused`() throws {
        var gate = try closed(by: full)
        #expect(gate.reason == "\(full)")
        let probe = try gate.admit()
        #expect(throws: StateError.readOnly(because: "\(full)")) { try gate.admit() }
        try gate.begin(probe)
        gate.end(probe, with: full)
        _ = try gate.admit()
    }

    @Test func `a success opens it for everybody`() throws {
        var gate = try closed(by: full)
        gate.end(try gate.admit(), with: nil)
        #expect(gate.reason == nil)
        _ = try gate.admit()
        _ = try gate.admit()
    }

    @Test func `whoever was queued before the fault does not meet it, too`() throws {
        var gate = ReadOnlyGate()
        let first = try gate.admit()
        let queued = try gate.admit()
        gate.end(first, with: .locked(file: "penstock.db"))
        #expect {
            try gate.begin(queued)
        } throws: {
            if case StateError.readOnly = $0 { true } else { false }
        }
    }

    @Test func `conditions that do not hold neither close nor open it`() throws {
        var gate = ReadOnlyGate()
        gate.end(try gate.admit(), with: .badPageToken)
        #expect(gate.reason == nil)
        gate = try closed(by: full)
        gate.end(try gate.admit(), with: .badPageToken)
        #expect(gate.reason != nil)
    }

    @Test func `a damaged database is not tried again`() throws {
        var gate = try closed(by: .corrupt(file: "penstock.db", reason: "x"))
        #expect {
            try gate.admit()
        } throws: {
            if case StateError.readOnly = $0 { true } else { false }
        }
    }
}
