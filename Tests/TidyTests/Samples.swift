// Small repositories for the tests of rules: one file from a string, judged by one rule.
// A sample is written as it would stand in the repository, in as few lines as show the point.

extension Rule {
    /// Lines and messages of what breaks this rule in one file.
    func judge(_ path: String, _ text: String) -> [Violation] {
        violations(Repository([path: text]))
    }

    /// Whether one file of `text` keeps this rule.
    func accepts(_ path: String, _ text: String) -> Bool {
        judge(path, text).isEmpty
    }
}
