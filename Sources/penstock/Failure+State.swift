// The state directory's errors as ends of a command.

import Foundation
import Settings
import State

extension Failure {
    init(_ error: StateError) {
        let code: Code =
            switch error {
            case .inUse, .wouldReplace, .exists, .stale, .staleGeneration: .conflict
            case .missing: .notFound
            default: .error
            }
        self.init(code, error.description)
    }

    static func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as StateError {
            throw Failure(error)
        }
    }
}

extension ConfigurationOptions {
    /// The one named, else the configuration's. A directory that is named needs no configuration.
    func stateDirectory() throws -> URL {
        if let state { return URL(filePath: state, directoryHint: .isDirectory).absoluteURL }
        return URL(filePath: try load().statePath, directoryHint: .isDirectory)
    }
}
