// One `infer` answer as bytes: the JSON of the Open Inference Protocol, then, for the outputs asked
// for in binary, their tensors in order. Without any, it is plain JSON.

package import Foundation

package struct InferenceResponse: Sendable {
    package var body: Data
    /// Length of the JSON part when tensors follow it.
    package var jsonBytes: Int?
}

extension InferenceResponse {
    /// - Parameter answers: the probability of each label, one list a row.
    package init(
        to request: InferenceRequest, answers: [[Double]], labels: [String], name: String,
        version: String
    ) throws {
        let best = answers.map(Self.best)
        var tensors = Data()
        var outputs: [WireOutput] = []
        for wanted in request.outputs {
            var output = Self.tensor(wanted.kind, answers: answers, best: best, labels: labels)
            if wanted.isBinary {
                let bytes = output.data?.bytes ?? Data()
                output.parameters = .init(binaryDataSize: bytes.count)
                output.data = nil
                tensors += bytes
            }
            outputs.append(output)
        }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(
            WireResponse(
                modelName: name, modelVersion: version, id: request.id, outputs: outputs))
        body = json + tensors
        jsonBytes = request.outputs.contains(where: \.isBinary) ? json.count : nil
    }

    /// The first of the largest.
    private static func best(_ probabilities: [Double]) -> Int {
        probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
    }

    private static func tensor(
        _ kind: InferenceRequest.OutputKind, answers: [[Double]], best: [Int], labels: [String]
    ) -> WireOutput {
        switch kind {
        case .label:
            WireOutput(
                name: kind.rawValue, datatype: "BYTES", shape: [best.count],
                data: .strings(best.map { labels[$0] }))
        case .classIndex:
            WireOutput(
                name: kind.rawValue, datatype: "INT64", shape: [best.count],
                data: .integers(best.map(Int64.init)))
        case .probabilities:
            WireOutput(
                name: kind.rawValue, datatype: "FP32", shape: [answers.count, labels.count],
                data: .floats(answers.flatMap { $0.map(Float.init) }))
        }
    }
}

private struct WireResponse: Encodable {
    var modelName: String
    var modelVersion: String
    var id: String?
    var outputs: [WireOutput]
}

private struct WireOutput: Encodable {
    struct Parameters: Encodable { var binaryDataSize: Int }
    var name: String
    var datatype: String
    var shape: [Int]
    var parameters: Parameters?
    var data: Elements?
}

private enum Elements: Encodable {
    case strings([String]), integers([Int64]), floats([Float])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .strings(let values): try container.encode(values)
        case .integers(let values): try container.encode(values)
        case .floats(let values): try container.encode(values)
        }
    }

    /// Little-endian; strings with their length before them, as the binary extension wants.
    var bytes: Data {
        switch self {
        case .strings(let values):
            values.reduce(into: Data()) { bytes, value in
                bytes += Self.littleEndian(UInt32(value.utf8.count)) + Data(value.utf8)
            }
        case .integers(let values):
            values.reduce(into: Data()) { $0 += Self.littleEndian($1) }
        case .floats(let values):
            values.reduce(into: Data()) { $0 += Self.littleEndian($1.bitPattern) }
        }
    }

    private static func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> Data {
        Data(
            (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }
}
