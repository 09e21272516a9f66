// `penstock check`: everything that can be wrong with a configuration, before it is served; and
// what is right but probably not meant.

import Admin
import ArgumentParser
import Deployments
import Foundation
import Settings
import Traffic

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration and say what is wrong where.",
        usage: """
            penstock check
            penstock check --config conf/quickstart.yaml --json
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        do {
            let configuration = try options.read()
            try checkCertificate(configuration.admin)
            try report(Verdict(file: options.file, isValid: true, problems: []))
            if !json {
                for line in warnings(configuration) { Terminal.error(line) }
                Terminal.print(summary(configuration))
            }
        } catch let error as SettingsError {
            guard json else { throw Failure(.error, error.description) }
            try report(Verdict(error, file: options.file))
            throw ExitCode(Failure.Code.error.rawValue)
        }
    }

    /// The files are there; whether they belong together only their reader knows.
    private func checkCertificate(_ admin: AdminSettings) throws {
        guard let files = admin.tls else { return }
        do {
            try AdminCertificate(certificate: files.certificate, key: files.key).check()
        } catch {
            throw SettingsError.invalid(
                file: options.file,
                problems: [Problem(line: 1, column: 1, field: "", message: "\(error)")])
        }
    }

    /// What is allowed and probably not meant, or not effective yet.
    private func warnings(_ configuration: Configuration) -> [String] {
        configuration.deployments.flatMap { spec in
            SpecLint.warnings(spec).map { warning in
                let field = warning.field.map { ".\($0)" } ?? ""
                return "warning: deployments.\(spec.name)\(field): \(warning.message)"
            }
        }
    }

    private func report(_ verdict: Verdict) throws {
        guard json else { return }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Terminal.print(String(decoding: try encoder.encode(verdict), as: UTF8.self))
    }

    private func summary(_ configuration: Configuration) -> String {
        let listeners = configuration.gateway.listeners.map(\.address.description)
        return "\(options.file): good; services: \(configuration.services.count), deployments: "
            + "\(configuration.deployments.count), listening on "
            + listeners.joined(separator: ", ")
    }
}

private struct Verdict: Encodable {
    struct Place: Encodable {
        var line: Int
        var column: Int
        var field: String
        var message: String
    }

    var file: String
    var isValid: Bool
    var problems: [Place]

    init(file: String, isValid: Bool, problems: [Place]) {
        self.file = file
        self.isValid = isValid
        self.problems = problems
    }

    init(_ error: SettingsError, file: String) {
        guard case .invalid(_, let problems) = error else {
            let place = Place(line: 0, column: 0, field: "", message: error.description)
            self.init(file: file, isValid: false, problems: [place])
            return
        }
        let places = problems.map {
            Place(line: $0.line, column: $0.column, field: $0.field, message: $0.message)
        }
        self.init(file: file, isValid: false, problems: places)
    }
}
