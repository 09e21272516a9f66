// What is wrong with a model's files, as the API answers it and as a replica that was not started
// for it is told.

import Notation

extension ModelError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknown(let model, let version, let known):
            "model '\(model)' has no version \(Spelling.quoted(version)); there is: "
                + Self.list(known)
        case .unknownModel(let model):
            "there is no model \(Spelling.quoted(model))"
        case .missing(let path):
            "\(Spelling.quoted(path)) does not exist"
        case .unreadable(let path, let reason), .unfit(let path, let reason):
            "\(Spelling.quoted(path)): \(reason)"
        case .tooMany(let path, let files):
            "\(Spelling.quoted(path)) has more than \(files) files"
        case .differs(let model, let version, let registered, let found):
            "\(model) \(version) is registered with other content: sha256 \(registered), "
                + "not \(found)"
        case .unexpected(let path, let expected, let found):
            "\(Spelling.quoted(path)) has sha256 \(found), not \(expected)"
        case .altered(let artifact, let found):
            "\(artifact.path) has changed since it was registered: sha256 \(found), "
                + "not \(artifact.sha256)"
        case .inUse(let model, let version, let deployments):
            "\(model) \(version) is used by: \(Self.list(deployments))"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.prefix(20).joined(separator: ", ")
    }
}
