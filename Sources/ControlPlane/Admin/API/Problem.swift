// Errors of the API as RFC 9457 problems: a code for programs, a sentence and a hint for people,
// and a pointer for each part of the body that is wrong.

import Notation

struct Problem: Error {
    struct Part {
        /// RFC 6901, into the body.
        var pointer: String
        var code: String
        var message: String
    }

    var status: Int
    var code: String
    var detail: String
    var hint: String?
    var parts: [Part] = []
    var headers: [String: String] = [:]
    /// Further members of the answer, as RFC 9457 allows.
    var members: [JSONValue.Member] = []

    func response(requestID: String) -> AdminResponse {
        let errors = parts.map { part in
            JSONValue.object([
                "pointer": .string(part.pointer), "code": .string(part.code),
                "message": .string(part.message),
            ])
        }
        let body = JSONValue.object([
            "type": "about:blank", "title": .string(Problem.title(of: status)),
            "status": .count(status), "code": .string(code), "detail": .string(detail),
            "hint": hint.map(JSONValue.string), "errors": errors.isEmpty ? nil : .array(errors),
            "requestId": .string(requestID),
        ]).merging(.object(members))
        var response = AdminResponse.json(body, status: status)
        response.headers["content-type"] = "application/problem+json"
        response.headers.merge(headers) { $1 }
        return response
    }

    private static func title(of status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        default: "Internal Server Error"
        }
    }
}

extension Problem.Part {
    /// A pointer to one member of the body's object.
    static func member(_ name: String, _ code: String, _ message: String) -> Problem.Part {
        let escaped = name.replacing("~", with: "~0").replacing("/", with: "~1")
        return Problem.Part(pointer: "/\(escaped)", code: code, message: message)
    }
}
