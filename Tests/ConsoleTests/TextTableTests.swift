// Columns line up whatever is in them, and a narrow terminal costs the end of a line only.

import Console
import Testing

struct TextTableTests {
    private var small: TextTable {
        var table = TextTable("NAME", "STATE", "NOTE")
        table.add(.init("a"), .init("ready", .green), .init("all is well with this one"))
        table.add(.init("longer"), .init("failed", .red), .init("gone"))
        return table
    }

    @Test func `columns line up`() {
        #expect(
            small.lines() == [
                "NAME    STATE   NOTE", "a       ready   all is well with this one",
                "longer  failed  gone",
            ])
    }

    @Test func `colour does not count as width`() {
        let lines = small.lines(Paint(isOn: true))
        #expect(lines[1] == "a       \u{1b}[32mready\u{1b}[0m   all is well with this one")
    }

    @Test func `a narrow terminal cuts the last cell`() {
        #expect(small.lines(width: 32)[1] == "a       ready   all is well wit…")
        #expect(small.lines(width: 33)[2] == "longer  failed  gone")
    }

    @Test func `a narrower one costs columns before the last, the rightmost first`() {
        var table = TextTable("OPERATION", "ACTION", "STATE", "BY", "MESSAGE")
        table.add(
            .init("01M7YTYF8P"), .init("restart"), .init("succeeded"), .init("token:admin"),
            .init("2 of 2 replicas ready, none to leave"))
        #expect(table.lines(width: 56).first == "OPERATION   ACTION   STATE      MESSAGE")
        #expect(
            table.lines(width: 40) == [
                "OPERATION   ACTION   MESSAGE",
                "01M7YTYF8P  restart  2 of 2 replicas re…",
            ])
        #expect(table.lines(width: 20).allSatisfy { $0.columns <= 20 })
    }

    @Test func `a column in which nothing is said is left out`() {
        var table = TextTable("NAME", "GPUS", "PID")
        table.add(.init("a"), .init(""), .init("7"))
        #expect(table.lines() == ["NAME  PID", "a     7"])
    }

    @Test func `an empty table is its titles`() {
        #expect(TextTable("NAME", "PID").lines() == ["NAME  PID"])
    }

    @Test func `wide letters take two columns`() {
        #expect("模型".columns == 4)
        #expect("模型".cut(to: 3) == "模…")
        #expect("abc".cut(to: 3) == "abc")
    }

    @Test func `text is wrapped at spaces`() {
        #expect("one two three".wrapped(to: 8) == ["one two", "three"])
    }

    @Test func `a tree draws its branches in the first column`() {
        var table = TextTable("NAME", "STATE")
        Tree(
            .init("iris"), .init("healthy"),
            children: [
                Tree(.init("r2"), .init(""), children: [Tree(.init("iris-1"), .init("ready"))]),
                Tree(.init("r1"), .init("leaving")),
            ]
        ).add(to: &table)
        #expect(
            table.lines() == [
                "NAME          STATE", "iris          healthy", "├─ r2",
                "│  └─ iris-1  ready", "└─ r1         leaving",
            ])
    }
}
