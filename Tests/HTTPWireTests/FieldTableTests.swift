// A table of fixed size remembers the first of each known name and which were repeated.

import HTTPWire
import Testing

@Suite struct FieldTableTests {
    private func field(_ known: FieldName, at offset: Int = 0) -> Field {
        Field(
            name: Slice(from: offset, to: offset + 1), value: .none, line: .none, known: known)
    }

    @Test func `a full table takes no more`() {
        var table = FieldTable(capacity: 2)
        let taken = [
            table.append(field(.host)), table.append(field(.te)), table.append(field(.age)),
        ]
        #expect(taken == [true, true, false])
        #expect(table.count == 2)
    }

    @Test func `the first of a name is found and a repetition noticed`() {
        var table = FieldTable(capacity: 4)
        for (index, name) in [FieldName.te, .host, .te].enumerated() {
            _ = table.append(field(name, at: index))
        }
        #expect(table.first(.te) == 0)
        #expect(table.first(.host) == 1)
        #expect(table.first(.cookie) == -1)
        #expect(table.repeated == [.te])
    }

    @Test func `an emptied table remembers nothing`() {
        var table = FieldTable(capacity: 4)
        _ = table.append(field(.te))
        _ = table.append(field(.te))
        table.removeAll()
        #expect(table.count == 0)
        #expect(table.first(.te) == -1)
        #expect(table.repeated == .none)
    }

    @Test func `a field can be changed in place`() {
        var table = FieldTable(capacity: 1)
        _ = table.append(field(.other))
        table[0].isHopByHop = true
        let isFlagged = table[0].isHopByHop
        #expect(isFlagged)
    }
}
