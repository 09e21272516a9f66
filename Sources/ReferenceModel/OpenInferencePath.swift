// What a path of the Open Inference Protocol asks for. Pure: paths in, meaning or refusal out.

import Foundation
package import HTTPTypes

package enum OpenInferencePath: Equatable {
    case live, ready, server, model, modelReady, infer

    package init(_ path: String, artifact: Artifact) throws(InferenceError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        switch parts {
        case ["v2"]: self = .server
        case ["v2", "health", "live"]: self = .live
        case ["v2", "health", "ready"]: self = .ready
        default:
            guard parts.count >= 3, parts[0] == "v2", parts[1] == "models" else {
                throw .unknownPath(path)
            }
            self = try Self.ofModel(parts.dropFirst(2), path: path, artifact: artifact)
        }
    }

    private static func ofModel(
        _ parts: ArraySlice<String>, path: String, artifact: Artifact
    ) throws(InferenceError) -> Self {
        var parts = parts
        let name = decoded(parts.removeFirst())
        guard name == artifact.name else { throw .unknownModel(name) }
        if parts.first == "versions", parts.count >= 2 {
            let version = decoded(parts[parts.startIndex + 1])
            parts.removeFirst(2)
            guard version == artifact.version else {
                throw .unknownModel("\(name) version \(version)")
            }
        }
        switch Array(parts) {
        case []: return .model
        case ["ready"]: return .modelReady
        case ["infer"]: return .infer
        default: throw .unknownPath(path)
        }
    }

    private static func decoded(_ part: String) -> String {
        part.removingPercentEncoding ?? part
    }

    package func check(method: HTTPRequest.Method) throws(InferenceError) {
        let allowed: [HTTPRequest.Method] = self == .infer ? [.post] : [.get, .head]
        guard allowed.contains(method) else {
            throw .methodNotAllowed(
                allowed: allowed.map(\.rawValue).joined(separator: ", "))
        }
    }
}
