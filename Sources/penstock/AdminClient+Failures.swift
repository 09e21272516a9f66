// What the admin port refuses, as failures: the status and the code decide how the command ends,
// and every field that is wrong is named as it was typed.

import Console
import Foundation
import NIOHTTP1
import Notation

extension AdminClient {
    func failure(_ answer: Answer) -> Failure {
        let problem = answer.json
        let message = Self.message(problem, answer.status)
        switch answer.status {
        case 401 where token == nil:
            return Failure(
                .denied,
                "\(server) wants a token; set PENSTOCK_TOKEN, or name the state directory "
                    + "of this host's gateway with --state or --config")
        case 401, 403: return Failure(.denied, "\(server) refuses the token: \(message)")
        case 404: return Failure(.notFound, message)
        case 409 where Self.gates.contains(problem["code"]?.text ?? ""):
            return Failure(.gate, message)
        case 409: return Failure(.conflict, message + Self.conflictHint(problem))
        case 412:
            return Failure(
                .conflict,
                "\(message)\nnothing was done. Look at it again (penstock get), then "
                    + "repeat the command, or add --force to change it whatever it is now")
        case 428: return Failure(.conflict, message)
        case 400, 422: return Failure(.usage, message)
        case 408, 504: return Failure(.timedOut, message)
        case 503:
            return Failure(
                .error, message, mayBeRepeated: answer.headers["retry-after"].first != nil)
        default: return Failure(.error, message)
        }
    }

    /// Refusals that say "not so" rather than "not now". A version that exists with other content
    /// is an artifact that was altered, seen from the other side.
    private static let gates: Set<String> = [
        "DOES_NOT_FIT", "ARTIFACT_ALTERED", "VERSION_EXISTS",
    ]

    private static func message(_ problem: JSONValue, _ status: Int) -> String {
        let errors = (problem["errors"]?.list ?? []).compactMap(line)
        var lines = [problem["detail"]?.text ?? problem["title"]?.text ?? "status \(status)"]
        if errors.count == 1 { lines = errors }
        if errors.count > 1 {
            lines = ["\(errors.count) values are not accepted"] + errors.map { "  " + $0 }
        }
        if let hint = hint(problem) { lines.append("hint: \(hint)") }
        return lines.joined(separator: "\n")
    }

    /// A pointer into the body as the field, and what is missing as the flag that says it.
    private static func line(_ error: JSONValue) -> String? {
        guard let message = error["message"]?.text else { return nil }
        let parts = JSONPointer(error["pointer"]?.text ?? "")?.parts ?? []
        let field = parts.joined(separator: ".")
        if error["code"]?.text == "MISSING", let flag = FieldFlags.name(of: field) {
            return message.replacing("'\(field)' is missing", with: "\(flag) is missing")
        }
        return field.isEmpty || message.contains("'\(field)'") ? message : "\(field): \(message)"
    }

    /// What the API advises its callers, as the command line would say it.
    private static func hint(_ problem: JSONValue) -> String? {
        switch problem["code"]?.text {
        case "DEPLOYMENT_NOT_FOUND": return "penstock list tells what there is"
        case "OPERATION_RUNNING", "STALE_VERSION": return nil
        case "MODEL_NOT_FOUND": return "penstock models tells what there is"
        default: break
        }
        return problem["hint"]?.text.flatMap(HintText.typed)
    }

    private static func conflictHint(_ problem: JSONValue) -> String {
        guard problem["code"]?.text == "OPERATION_RUNNING",
            let id = problem[path: ["operation", "id"]]?.text
        else { return "" }
        return "\nto wait for it: penstock operations wait \(id); or add --on-conflict queue, or "
            + "--on-conflict supersede to take its place"
    }
}
