// Rules about the documents: links lead somewhere, and the map in ARCHITECTURE.md has every target.
// What a document says is for people to judge; whether it points at things that exist is not.

extension Rule {
    static let linksAlive = Rule.whole("relative links lead somewhere") { repository in
        repository.files.filter(\.isMarkdown).flatMap { file in
            file.links.compactMap { link in
                guard let path = resolve(link.target, from: file.folder) else {
                    return file.violation(link.line, "link leaves the repository: \(link.target)")
                }
                if path.isEmpty || repository.paths.contains(path) { return nil }
                return file.violation(link.line, "dead link: \(link.target)")
            }
        }
    }

    static let targetsDescribed = Rule.whole("ARCHITECTURE.md has a row per target") { repository in
        guard let package = repository.file("Package.swift") else { return [] }
        let map = repository.file("ARCHITECTURE.md")
        let rows = (map?.lines ?? []).compactMap { line -> Substring? in
            guard line.hasPrefix("|") else { return nil }
            return line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().first
        }
        return package.targetNames.filter { name in
            !rows.contains { $0.contains("`\(name)`") }
        }.map {
            Violation(path: "ARCHITECTURE.md", line: 1, message: "no row for target '\($0)'")
        }
    }
}

extension SourceFile {
    /// Relative links of a Markdown document, outside code, without their fragments.
    var links: [(target: String, line: Int)] {
        var isFenced = false
        var links: [(String, Int)] = []
        for (index, line) in lines.enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") { isFenced.toggle() }
            if isFenced { continue }
            links += linkTargets(in: withoutInlineCode(line)).map { ($0, index + 1) }
        }
        return links
    }

    /// Names of all targets but tests, in a package manifest.
    fileprivate var targetNames: [String] {
        var names: [String] = []
        var isTarget = false
        for line in lines {
            let isTest = line.contains(".testTarget(")
            let starts = [".target(", ".executableTarget(", ".systemLibrary("]
            if starts.contains(where: line.contains) { isTarget = true }
            if isTest { isTarget = false }
            guard isTarget, let name = quoted(after: "name:", in: line) else { continue }
            names.append(name)
            isTarget = false
        }
        return names
    }
}

private func quoted(after label: String, in line: Substring) -> String? {
    guard let label = line.firstRange(of: label) else { return nil }
    let parts = line[label.upperBound...].split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count > 2 ? String(parts[1]) : nil
}

/// Every second part between backticks is code.
private func withoutInlineCode(_ line: Substring) -> String {
    line.split(separator: "`", omittingEmptySubsequences: false)
        .enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined(separator: "_")
}

private func linkTargets(in line: String) -> [String] {
    line.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap { rest in
        let target = rest.prefix { $0 != ")" && $0 != " " }
        if target.contains("://") || target.hasPrefix("mailto:") { return nil }
        let path = target.prefix { $0 != "#" }
        return path.isEmpty ? nil : String(path)
    }
}

/// The path from the root that `target` means in a document of `folder`; nil when above the root.
private func resolve(_ target: String, from folder: String) -> String? {
    var parts = target.hasPrefix("/") ? [] : folder.split(separator: "/").map(String.init)
    for part in target.split(separator: "/") {
        switch part {
        case ".": continue
        case ".." where parts.isEmpty: return nil
        case "..": parts.removeLast()
        default: parts.append(String(part))
        }
    }
    return parts.joined(separator: "/")
}
