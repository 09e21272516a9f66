// Where the configuration and the state are: the same two options for every verb.

import ArgumentParser
import Foundation
import Replicas
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

    /// As `load`, with the problems as they are.
    func read(_ surroundings: Surroundings = Self.thisMachine) throws -> Configuration {
        try ConfigurationFile.load(
            file, workers: min(256, ProcessInfo.processInfo.activeProcessorCount),
            surroundings: surroundings)
    }

    static let thisMachine = Surroundings.seen(
        program: { name in
            do {
                let search = ProgramSearch(environment: ProcessInfo.processInfo.environment)
                _ = try search.program(name)
                return nil
            } catch {
                return "\(error)"
            }
        },
        identity: Surroundings.complaint(ofCertificate:key:),
        authorities: Surroundings.complaint(ofAuthorities:))

    /// Reads and checks the file; `workers: auto` is one for each core.
    ///
    /// - Parameter surroundings: `.unseen` for whoever does not serve the file: only the gateway's
    ///   own user may see the files it names.
    func load(_ surroundings: Surroundings = Self.thisMachine) throws -> Configuration {
        do {
            var configuration = try read(surroundings)
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
