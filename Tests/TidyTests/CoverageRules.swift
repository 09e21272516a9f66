// Rules about what must be there: tests beside the sources of the pure modules, and the written
// limits of the modules whose memory grows with what peers send.

extension Rule {
    static let testsBesideSources = Rule.whole("pure sources have their tests") { repository in
        let modules = [
            ("Traffic", "Sources/Traffic"), ("HTTPWire", "Sources/DataPlane/HTTPWire"),
            ("Balancing", "Sources/DataPlane/Balancing"),
        ]
        return modules.flatMap { module, folder in
            let tests = Set(
                repository.files.filter { $0.isUnder("Tests/\(module)Tests") }.map(\.name))
            return repository.files.filter { file in
                file.isUnder(folder) && file.needsTests
                    && tests.isDisjoint(with: testNames(of: file.name))
            }.map { $0.violation(1, "no \(testNames(of: $0.name)[0]) in Tests/\(module)Tests") }
        }
    }

    static let limitsWritten = Rule.whole("what can grow has its limits written") { repository in
        ["Reactor", "TLS", "HTTPWire", "Balancing", "Proxying"].compactMap { module in
            let folder = "Sources/DataPlane/\(module)"
            let files = repository.files.filter { $0.isUnder(folder) }
            if files.isEmpty || files.contains(where: { $0.name == "Limits.swift" }) { return nil }
            return Violation(path: "\(folder)/Limits.swift", line: 1, message: "is missing")
        }
    }
}

extension SourceFile {
    /// A file of values alone, or one of under 40 lines, is covered by the tests of what uses it.
    fileprivate var needsTests: Bool {
        isSwift && lines.count >= 40 && functions.contains { !$0.isInitializer }
    }
}

/// `Type+Topic.swift` is covered by its own tests or by the type's.
private func testNames(of source: String) -> [String] {
    let stem = source.split(separator: ".").first.map(String.init) ?? source
    let type = stem.split(separator: "+").first.map(String.init) ?? stem
    return type == stem ? ["\(stem)Tests.swift"] : ["\(stem)Tests.swift", "\(type)Tests.swift"]
}
