// Where the configuration and the state are: the same two options for every verb.

import ArgumentParser
import Foundation
import Settings

struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long, help: "The configuration (default: ./penstock.yaml).",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .long, help: "The state directory, instead of the file's `state`.",
        completion: .directory)
    var state: String?

    var file: String { config ?? "penstock.yaml" }

    /// Reads and checks the file; `workers: auto` is one for each core.
    func load() throws -> Configuration {
        do {
            var configuration = try ConfigurationFile.load(
                file, workers: min(256, ProcessInfo.processInfo.activeProcessorCount))
            if let state {
                configuration.statePath = URL(filePath: state).absoluteURL
                    .path(percentEncoded: false)
            }
            return configuration
        } catch SettingsError.missing(let file) where config == nil {
            throw Failure(
                .error,
                "there is no \(file) in this directory; name a configuration with --config FILE. "
                    + "A small one:\n\n\(ConfigurationFile.smallest)")
        } catch let error as SettingsError {
            throw Failure(.error, error.description)
        }
    }
}
