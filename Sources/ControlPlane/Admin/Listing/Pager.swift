// Pages of a list that is whole in memory. A token names the last item told and the question it
// belongs to, signed, so that nobody makes one up; whatever comes or goes meanwhile, an item that
// is there throughout is told exactly once.

import Crypto
import Foundation
import Notation

struct Pager: Sendable {
    /// What has nothing else to be told apart by than its place.
    struct Mark: Equatable {
        /// What the list is ordered by.
        var value: JSONValue
        var name: String
    }

    private let key = SymmetricKey(size: .bits256)

    /// - Parameter question: what a token must not be used across: order and filters.
    func token(after mark: Mark, question: String) -> String {
        let content = JSONValue.array([mark.value, .string(mark.name)]).canonical
        let body = Data(content).base64EncodedString()
        let text = "\(body).\(signature(body, question))"
        return text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// - Throws: `Problem` for a token that was not made here for this question.
    func mark(_ token: String, question: String) throws(Problem) -> Mark {
        let parts = token.replacing("-", with: "+").replacing("_", with: "/").split(separator: ".")
        guard parts.count == 2 else { throw Self.refused }
        let body = Self.padded(String(parts[0]))
        let expected = signature(body, question)
            .replacing("=", with: "")
        guard String(parts[1]) == expected, let data = Data(base64Encoded: body),
            case .array(let content)? = Self.read(data), content.count == 2,
            let name = content[1].text
        else { throw Self.refused }
        return Mark(value: content[0], name: name)
    }

    static let refused = Problem(
        status: 400, code: "INVALID_PAGE_TOKEN",
        detail: "the pageToken was not made for this question, or before the last start",
        hint: "begin again without a pageToken")

    private func signature(_ body: String, _ question: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(question)\n\(body)".utf8), using: key)
        return Data(code).prefix(15).base64EncodedString()
    }

    private static func padded(_ text: String) -> String {
        text + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    private static func read(_ data: Data) -> JSONValue? {
        // What is no JSON is no token either.
        try? JSONReader.read(Array(data))
    }
}
