// From a path, or from bytes, to a checked `Configuration`. The only part of the module that
// touches a disk.

import Deployments
import Foundation
import Traffic

package enum ConfigurationFile {
    /// A configuration that works, for those who have none yet.
    package static let smallest = Document.smallest

    /// Reads and checks a file.
    ///
    /// - Parameters:
    ///   - workers: how many event loops `workers: auto` stands for.
    ///   - surroundings: whom to ask for the files and programs it names.
    /// - Throws: `SettingsError` with every problem of the file.
    package static func load(
        _ path: String, workers: Int, surroundings: Surroundings
    ) throws -> Configuration {
        let url = URL(filePath: path).absoluteURL
        return try parse(
            read(path), file: path, workers: workers,
            directory: url.deletingLastPathComponent().standardizedFileURL
                .path(percentEncoded: false),
            surroundings: surroundings)
    }

    /// Checks what a file says. `file` is the name problems are told under; `features` are in force
    /// but for tests of what comes next.
    package static func parse(
        _ bytes: [UInt8], file: String, workers: Int, directory: String,
        surroundings: Surroundings = .unseen, features: Features = .inForce
    ) throws(SettingsError) -> Configuration {
        guard bytes.count <= Limits.fileBytes else {
            throw .tooLarge(file: file, bytesMax: Limits.fileBytes)
        }
        let findings = Findings()
        var configuration: Configuration?
        if let root = Document.root(of: bytes, findings: findings) {
            let value = Value(node: root, field: "", findings: findings)
            let reading = Reading(
                workers: workers, directory: directory, surroundings: surroundings,
                features: features)
            configuration = value.section { reading.program($0) }
        }
        guard let configuration, findings.problems.isEmpty else {
            throw .invalid(file: file, problems: findings.sorted)
        }
        try validate(configuration, file: file)
        return configuration
    }

    /// The rules of the gate itself; whatever they catch has no better place than the file.
    private static func validate(
        _ configuration: Configuration, file: String
    ) throws(SettingsError) {
        let implied = configuration.deployments.map { spec in
            spec.service(revisions: [RevisionPlan(name: "1", weight: 1000, endpoints: [])])
        }
        do {
            _ = try TrafficPlan(
                generation: 0, gateway: configuration.gateway,
                services: configuration.services + implied)
        } catch {
            let problem = Problem(line: 1, column: 1, field: "", message: error.description)
            throw .invalid(file: file, problems: [problem])
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw SettingsError.missing(file: path)
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        if attributes[.type] as? FileAttributeType == .typeDirectory {
            throw SettingsError.unreadable(file: path, reason: "it is a directory")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw SettingsError.unreadable(file: path, reason: "permission denied")
        }
        do {
            let data = try file.read(upToCount: Limits.fileBytes + 1) ?? Data()
            return [UInt8](data)
        } catch {
            throw SettingsError.unreadable(file: path, reason: error.localizedDescription)
        }
    }
}
