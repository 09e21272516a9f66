// A trained classifier as a file: JSON with the weights, what goes in, what comes out, and a few
// examples with the answers the trainer got. Checked as a whole when it is read; past that point
// its numbers fit together.

package import Foundation

package struct Artifact: Codable, Equatable, Sendable {
    package static let currentFormat = "penstock-classifier/1"

    package var format = Artifact.currentFormat
    package var name: String
    package var version: String
    package var features: [String]
    package var labels: [String]
    package var network: Network
    /// Rows with the label the trainer got for them; replayed before the server calls itself ready.
    package var examples: [Example]
    package var training: Provenance

    package struct Example: Codable, Equatable, Sendable {
        package var features: [Double]
        package var label: String

        package init(features: [Double], label: String) {
            self.features = features
            self.label = label
        }
    }

    /// How the weights came to be, so that they can be made again.
    package struct Provenance: Codable, Equatable, Sendable {
        package var data: String
        package var rows: Int
        package var seed: UInt64
        package var epochs: Int
        package var trainingAccuracy: Double
        package var heldOutAccuracy: Double

        package init(
            data: String, rows: Int, seed: UInt64, epochs: Int, trainingAccuracy: Double,
            heldOutAccuracy: Double
        ) {
            self.data = data
            self.rows = rows
            self.seed = seed
            self.epochs = epochs
            self.trainingAccuracy = trainingAccuracy
            self.heldOutAccuracy = heldOutAccuracy
        }
    }

    package init(
        name: String, version: String, features: [String], labels: [String], network: Network,
        examples: [Example], training: Provenance
    ) {
        self.name = name
        self.version = version
        self.features = features
        self.labels = labels
        self.network = network
        self.examples = examples
        self.training = training
    }
}

extension Artifact {
    /// Reads and checks an artifact.
    package init(reading file: URL) throws(ArtifactError) {
        let bytes: Data
        do {
            let size = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= Limits.artifactBytes else {
                throw ArtifactError.invalid(
                    "\(size) bytes long; at most \(Limits.artifactBytes) are read")
            }
            bytes = try Data(contentsOf: file)
        } catch let error as ArtifactError {
            throw error
        } catch {
            throw .unreadable(file.path, error.localizedDescription)
        }
        try self.init(decoding: bytes)
    }

    package init(decoding bytes: Data) throws(ArtifactError) {
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Artifact.self, from: bytes)
        } catch let error as DecodingError {
            throw .invalid(error.sentence)
        } catch {
            throw .invalid("\(error)")
        }
        try check()
    }

    package func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    private func check() throws(ArtifactError) {
        guard format == Self.currentFormat else {
            throw .invalid("format: \(format) is not known; allowed: \(Self.currentFormat)")
        }
        guard !name.isEmpty, !version.isEmpty else {
            throw .invalid("name, version: must not be empty")
        }
        guard !features.isEmpty, labels.count >= 2, Set(labels).count == labels.count else {
            throw .invalid("features, labels: at least one feature and two different labels")
        }
        try network.check(inputs: features.count, outputs: labels.count)
        for (index, example) in examples.enumerated() {
            guard example.features.count == features.count, labels.contains(example.label) else {
                throw .invalid("examples[\(index)]: does not match features and labels")
            }
        }
    }
}

package enum ArtifactError: Error, Equatable, CustomStringConvertible {
    case unreadable(String, String)
    case invalid(String)
    /// The weights no longer give the answer the trainer recorded.
    case exampleFailed(index: Int, expected: String, got: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .invalid(let reason): "not a usable artifact: \(reason)"
        case .exampleFailed(let index, let expected, let got):
            "warm-up: examples[\(index)] should be \(expected), the weights say \(got)"
        }
    }
}
