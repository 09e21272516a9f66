// What every read takes, and how lists are read whole: page after page, as one.

import ArgumentParser
import Console
import Foundation
import Notation

struct ReadOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

    /// A document as JSON, or as words.
    func show(_ value: JSONValue, _ words: (JSONValue) -> String) {
        Terminal.print(json ? value.pretty.trimmedEnd : words(value))
    }

    /// A list as JSON, as a table, or as the word for none.
    func show(
        _ value: JSONValue, _ key: String, none: String, _ table: ([JSONValue]) -> TextTable
    ) {
        show(value) { value in
            let rows = table(value[key]?.list ?? [])
            return rows.isEmpty ? none : rows.text(Terminal.paint, width: Terminal.width)
        }
    }
}

extension AdminClient {
    /// All pages of a list, as one answer.
    func list(
        _ path: String, _ key: String, _ query: [(String, String?)] = [], atMost most: Int? = nil
    ) async throws -> JSONValue {
        var items: [JSONValue] = []
        var token: String?
        repeat {
            let size = most.map { min(1000, max(1, $0 - items.count)) } ?? 1000
            let page = try await get(
                path, query + [("pageSize", "\(size)"), ("pageToken", token)])
            items += page[key]?.list ?? []
            token = page["next_page_token"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil && items.count < (most ?? .max)
        return .object([.init(name: key, value: .array(items))])
    }
}

/// Now, as the pure parts are told it.
func secondsNow() -> Double { Date().timeIntervalSince1970 }
