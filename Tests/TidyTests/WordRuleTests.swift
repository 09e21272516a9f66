// The rules about words, each with what breaks it and what does not.

import Testing

@Suite struct WordRuleTests {
    private let source = "Sources/A/B.swift"

    @Test(arguments: ["TO" + "DO", "FIX" + "ME", "XX" + "X"])
    func `a mark of unfinished work is refused`(mark: String) {
        #expect(Rule.leftoverMarks.judge(source, "\n// \(mark): later").map(\.line) == [2])
        #expect(!Rule.leftoverMarks.accepts("Tests/A/B.swift", "/* \(mark) */"))
        #expect(Rule.leftoverMarks.accepts(source, "let text = \"\(mark)\" // 4\(mark)"))
    }

    @Test(arguments: ["try! f()", "x as! Int", "fatalError(\"no\")"])
    func `a word that traps is refused in programs`(text: String) {
        #expect(!Rule.trappingWords.accepts(source, text))
        #expect(Rule.trappingWords.accepts("Tests/ATests/BTests.swift", text))
        #expect(Rule.trappingWords.accepts(source, "// \(text)"))
    }

    @Test func `what only looks like a trap is fine`() {
        #expect(Rule.trappingWords.accepts(source, "try !f(); x as? Int; preconditionFailure()"))
    }

    @Test(arguments: [
        "struct PoolManager {}", "final class HTTPHelper {}", "enum UserInfo {}",
        "protocol CommonThing {}", "typealias Utils = Int", "actor BaseStore {}",
    ])
    func `a type's name that says nothing is refused`(text: String) {
        #expect(!Rule.typeNames.accepts(source, text))
    }

    @Test(arguments: [
        "struct Database {}", "struct Baseline {}", "class func make() -> Info", "let userInfo = 1",
        "struct Information {}",
    ])
    func `a name that only contains such a word is fine`(text: String) {
        #expect(Rule.typeNames.accepts(source, text))
    }

    @Test(arguments: ["sleep(1)", "usleep(10)", "try await Task.sleep(for: .seconds(1))"])
    func `a test that sleeps is refused`(text: String) {
        #expect(!Rule.noSleeps.accepts("Tests/ATests/BTests.swift", text))
        #expect(Rule.noSleeps.accepts("Tests/ATests/BTests.swift", "// never \(text)"))
        #expect(Rule.noSleeps.accepts(source, text))
    }

    @Test func `a story does not sleep but the harness may poll`() {
        let text = "import time\ntime.sleep(0.01)\n"
        #expect(Rule.noSleeps.judge("Tests/EndToEnd/test_drain.py", text).map(\.line) == [2])
        #expect(Rule.noSleeps.accepts("Tests/EndToEnd/harness.py", text))
    }

    @Test(arguments: ["/work/", "/root/", "/tmp/"])
    func `a path of one machine is refused`(path: String) {
        #expect(!Rule.machinePaths.accepts("docs/operating.md", "see \(path)main"))
        #expect(!Rule.machinePaths.accepts(source, "let a = \"\(path)x\""))
        #expect(Rule.machinePaths.accepts("Tests/ATests/BTests.swift", "\"\(path)x\""))
    }

    @Test func `a relative path is fine`() {
        #expect(Rule.machinePaths.accepts("docs/operating.md", "var/tmp.log and frame/work"))
    }
}
