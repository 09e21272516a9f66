// What reaches a terminal steers nothing: controls are shown, our own colours are kept.

import Console
import Notation
import Testing

struct VisibleTextTests {
    @Test(arguments: [
        ("\u{1b}[2J\u{1b}]0;pwned\u{07}", #"\u001b[2J\u001b]0;pwned\u0007"#),
        ("10 %\r100 %", #"10 %\u000d100 %"#), ("\u{9b}31m", #"\u009b31m"#),
        ("a\u{202e}b\u{2066}", #"a\u202eb\u2066"#), ("\u{7f}\u{0}", #"\u007f\u0000"#),
        ("\u{1b}[31mred", #"\u001b[31mred"#), ("tab\tand\nnewline é 模", "tab\tand\nnewline é 模"),
        ("one\r\ntwo", "one\\u000d\ntwo"),
    ])
    func `text of others is shown, not obeyed`(text: String, shown: String) {
        #expect(text.visible == shown)
    }

    @Test func `our own colours are kept, and nothing else that begins like them`() {
        let painted = Paint(isOn: true)("ready", .green) + "\u{1b}[8mhidden\u{1b}[2K"
        #expect(
            VisibleText.text(painted, keepsInk: true)
                == "\u{1b}[32mready\u{1b}[0m" + #"\u001b[8mhidden\u001b[2K"#)
        #expect(!VisibleText.text(painted, keepsInk: false).contains("\u{1b}"))
    }

    @Test func `a cell is one line`() {
        #expect("one\r\ntwo\tthree\u{7}".visibleLine == #"one two three\u0007"#)
        var table = TextTable("NAME")
        table.add(.init("a\n\u{1b}[2Jb"))
        #expect(table.lines() == ["NAME", #"a \u001b[2Jb"#])
    }

    @Test func `a replica's line obeys on a terminal only what is ours`() {
        let line = JSONValue.object(["stream": "stderr", "text": "\u{1b}[2Jgone"])
        func text(_ isForTerminal: Bool, _ paint: Paint) -> String {
            LogText(
                showsReplica: false, showsTime: false, isForTerminal: isForTerminal, paint: paint
            ).line(line, of: "iris-0")
        }
        #expect(text(true, Paint(isOn: true)) == "\u{1b}[31m" + #"\u001b[2Jgone"# + "\u{1b}[0m")
        #expect(text(false, .plain) == "\u{1b}[2Jgone")
    }

    @Test func `why tells a replica's words, and does not obey them`() {
        let words = "\u{1b}[2J\u{1b}]0;pwned\u{07}"
        var report = WhyReport(
            deployment: .object([
                "metadata": .object(["name": "iris"]),
                "status": .object(["status": "failed", "message": .string(words)]),
            ]), now: 0)
        report.dossiers = [
            .object([
                "replica": "iris-0", "cause": .string(words), "last_error": .texts([words]),
                "command_line": .texts(["sh", "-c", words]),
            ])
        ]
        report.events = [.object(["reason": "Failed", "message": .string(words)])]
        #expect(!report.text(.plain).contains("\u{1b}"))
        #expect(report.text(.plain, width: 40).contains(#"said     \u001b[2J"#))
    }
}
