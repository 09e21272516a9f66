// Names that only the running gateway knows, for the shell's completion. It waits for nobody:
// without an answer in a second there is nothing to offer.

import ArgumentParser
import Foundation
import Notation

extension CompletionKind {
    static var deployments: CompletionKind {
        .custom { words, _, prefix in
            // A shell has no use for the reason why nothing is offered.
            (try? await LiveNames.deployments(words, prefix)) ?? []
        }
    }
}

enum LiveNames {
    static func deployments(_ words: [String], _ prefix: String) async throws -> [String] {
        var options = ServerOptions()
        options.server = value(of: "--server", in: words)
        options.options = ConfigurationOptions()
        options.options.config = value(of: "--config", in: words)
        options.options.state = value(of: "--state", in: words)
        let client = try options.client()
        return try await withThrowingTaskGroup(of: [String].self) { group in
            group.addTask {
                let answer = try await client.get(
                    "/v1/deployments", [("fields", "metadata.name"), ("pageSize", "200")])
                return (answer["deployments"]?.list ?? [])
                    .compactMap { $0[path: ["metadata", "name"]]?.text }
                    .filter { $0.hasPrefix(prefix) }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(1))
                return []
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    private static func value(of option: String, in words: [String]) -> String? {
        words.firstIndex(of: option).flatMap { index in
            index + 1 < words.count ? words[index + 1] : nil
        }
    }
}
