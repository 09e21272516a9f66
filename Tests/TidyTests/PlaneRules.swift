// Rules about who may see whom, and about what the request's path may touch. They guard the
// invariants of ARCHITECTURE.md that the compiler cannot.

extension Rule {
    static let planesApart = Rule.whole("the planes never import each other") { repository in
        let sides = [("DataPlane", "ControlPlane"), ("ControlPlane", "DataPlane")]
        return sides.flatMap { own, other in
            let banned = repository.modules(of: other)
            return repository.files.filter { $0.isUnder("Sources/\(own)") }.flatMap { file in
                file.imports.filter { banned.contains($0.module) }.map {
                    file.violation($0.line, "\(own) imports \($0.module) of \(other)")
                }
            }
        }
    }

    static let noFoundation = Rule.each("no Foundation near the request's path") { file in
        guard file.isUnder("Sources/DataPlane") || file.isUnder("Sources/Traffic") else {
            return []
        }
        let banned: Set = ["Foundation", "FoundationEssentials", "Dispatch", "Logging"]
        return file.imports.filter { banned.contains($0.module) }.map {
            file.violation($0.line, "imports \($0.module)")
        }
    }

    static let planesMeetInWiring = Rule.whole("only Wiring files see both planes") { repository in
        let data = repository.modules(of: "DataPlane")
        let control = repository.modules(of: "ControlPlane")
        return repository.files.filter { $0.isUnder("Sources/penstock") }.compactMap { file in
            let modules = Set(file.imports.map(\.module))
            if modules.isDisjoint(with: data) || modules.isDisjoint(with: control) { return nil }
            if file.name.hasPrefix("Wiring") { return nil }
            return file.violation(1, "imports both planes; only Wiring files may")
        }
    }

    static let noSuspension = Rule.each("the data plane never suspends") { file in
        guard file.isUnder("Sources/DataPlane") else { return [] }
        let banned: Set = ["await", "async", "actor", "Task", "TaskGroup"]
        return file.tokens(among: banned).map {
            file.violation($0.line, "'\($0.text)' in the data plane")
        }
    }

    static let purity = Rule.each("pure modules are given time and randomness") { file in
        let pure = [
            "Sources/Traffic", "Sources/DataPlane/TLS", "Sources/DataPlane/HTTPWire",
            "Sources/DataPlane/Balancing", "Sources/ControlPlane/Deployments/Status",
            "Sources/ControlPlane/Deployments/Reconciler", "Sources/ControlPlane/Console",
        ]
        guard pure.contains(where: file.isUnder) else { return [] }
        let banned: Set = [
            "clock_gettime", "gettimeofday", "ContinuousClock", "SuspendingClock",
            "SystemRandomNumberGenerator", "getrandom", "arc4random",
        ]
        let fetched = file.tokens(among: banned)
        return (fetched + file.unseededDraws).map {
            file.violation($0.line, "'\($0.text)' fetches what should be an argument")
        }
    }

    static let unsafePlaces = Rule.each("'unsafe' stays where it belongs") { file in
        guard file.isUnder("Sources") else { return [] }
        let folders = [
            "Sources/DataPlane/Reactor", "Sources/DataPlane/TLS", "Sources/DataPlane/HTTPWire",
            "Sources/DataPlane/Proxying", "Sources/System/Handshakes",
        ]
        let files = [
            "Sources/Traffic/SharedMeter.swift", "Sources/DataPlane/Balancing/SharedLoad.swift",
            "Sources/ControlPlane/State/StateLock.swift",
        ]
        if folders.contains(where: file.isUnder) || files.contains(file.path) { return [] }
        if file.path.hasPrefix("Sources/ControlPlane/Replicas/ProcessRuntime") { return [] }
        return file.tokens(among: ["unsafe"]).map {
            file.violation($0.line, "'unsafe' outside the files that may")
        }
    }
}

extension SourceFile {
    /// `random(in:)` and the like without `using:` on the same line or the next.
    fileprivate var unseededDraws: [Token] {
        let draws: Set = ["random", "randomElement", "shuffled", "shuffle"]
        if tokens(among: draws).isEmpty { return [] }
        return tokens.indices.compactMap { index in
            let token = tokens[index]
            guard draws.contains(token.text), index > 0, tokens[index - 1].text == "." else {
                return nil
            }
            let near = tokens[index...].prefix { $0.line <= token.line + 1 }
            return near.contains { $0.text == "using" } ? nil : token
        }
    }
}
