// Takes secrets out of a command line before anybody but the replica sees it: values of secret
// variables wherever they occur, and arguments whose names say what they are. Pure.

package struct Redaction: Sendable {
    package static let mark = "[redacted]"
    private let values: [String]

    package init(spec: ReplicaSpec) {
        let names = spec.environment.keys.filter {
            spec.secrets.contains($0) || Self.isSecret($0)
        }
        // Longest first: one value may be a part of another. Very short ones would hit everything.
        values = names.compactMap { spec.environment[$0] }.filter { $0.count >= 4 }
            .sorted { $0.count > $1.count }
    }

    package func commandLine(_ arguments: [String]) -> [String] {
        var isNextSecret = false
        return arguments.map { argument in
            defer { isNextSecret = argument.hasPrefix("-") && Self.isSecretOption(argument) }
            if isNextSecret, !argument.hasPrefix("-") { return Self.mark }
            return text(argument)
        }
    }

    private func text(_ argument: String) -> String {
        if argument.contains("="), let name = argument.split(separator: "=").first,
            Self.isSecret(String(name))
        {
            return "\(name)=\(Self.mark)"
        }
        let plain = values.reduce(argument) { $0.replacing($1, with: Self.mark) }
        return plain.replacing(/:\/\/[^\/\s:@]+:[^\/\s@]+@/) { _ in "://\(Self.mark)@" }
    }

    private static func isSecretOption(_ argument: String) -> Bool {
        !argument.contains("=") && isSecret(argument)
    }

    package static func isSecret(_ name: String) -> Bool {
        let parts = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let words: Set = [
            "token", "password", "passwd", "secret", "credential", "credentials", "apikey",
        ]
        if !words.isDisjoint(with: parts) { return true }
        return zip(parts, parts.dropFirst()).contains { first, second in
            second == "key" && ["api", "access", "private", "secret", "auth"].contains(first)
        }
    }
}
