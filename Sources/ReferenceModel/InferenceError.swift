// What goes wrong with a request, each with the status it answers. The text names the field and
// what is allowed; the protocol wants it as {"error": "…"}.

package enum InferenceError: Error, Equatable {
    case invalid(String)
    case unknownModel(String)
    case unknownPath(String)
    case methodNotAllowed(allowed: String)
    case unsupportedEncoding(String)
    case tooLarge
    case loading
    case overloaded
    /// Asked for with `--failure-rate`.
    case demonstration

    package var status: Int {
        switch self {
        case .invalid: 400
        case .unknownModel, .unknownPath: 404
        case .methodNotAllowed: 405
        case .tooLarge: 413
        case .unsupportedEncoding: 415
        case .demonstration: 500
        case .loading, .overloaded: 503
        }
    }

    package var sentence: String {
        switch self {
        case .invalid(let reason): reason
        case .unknownModel(let name): "unknown model: \(name)"
        case .unknownPath(let path): "nothing is served at \(path)"
        case .methodNotAllowed(let allowed): "method not allowed; allowed: \(allowed)"
        case .unsupportedEncoding(let encoding):
            "content-encoding \(encoding) is not supported; send the body as it is"
        case .tooLarge: "the body is longer than \(Limits.requestBytes) bytes"
        case .loading: "the model is loading"
        case .overloaded: "\(Limits.waiting) requests are waiting already"
        case .demonstration: "failed on purpose, as --failure-rate asks"
        }
    }
}
