// A small document that is right, and short ways to read, change and refuse documents.

import Deployments
import Notation
import Testing

enum Specs {
    /// The least that is a deployment.
    static let least = """
        {"name": "iris", "model": "iris", "version": "v1",
         "command": ["penstock-model", "--listen", "{address}"],
         "resources": {"cpu": 1, "memory": "512MiB"}}
        """

    static func json(_ text: String) throws -> JSONValue {
        try JSONReader.read(Array(text.utf8))
    }

    static func read(_ text: String, _ context: SpecContext = SpecContext()) throws
        -> DeploymentSpec
    {
        try SpecReader(context).read(json(text))
    }

    /// The least, with a patch over it, read as one document.
    static func with(_ patch: String) throws -> DeploymentSpec {
        try SpecReader().read(json(least).patched(with: json(patch)))
    }

    /// The problems of the least with a patch over it: `/name WRONG_TYPE`.
    static func refused(_ patch: String) throws -> [String] {
        do {
            _ = try with(patch)
            return []
        } catch let problems as SpecProblems {
            return problems.problems.map { "\($0.pointer) \($0.code.rawValue)" }
        }
    }

    static func message(_ patch: String) throws -> String {
        do {
            _ = try with(patch)
            return ""
        } catch let problems as SpecProblems {
            return problems.description
        }
    }
}
