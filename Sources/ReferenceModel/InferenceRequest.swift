// One `infer` request, decoded: the batch as rows of numbers and which outputs are wanted how.
// Follows the Open Inference Protocol v2 with the binary tensor extension, where tensor bytes
// follow the JSON in the order of the inputs. Anything doubtful is refused with the field's name.

package import Foundation

package struct InferenceRequest: Equatable, Sendable {
    package var id: String?
    package var rows: [[Double]]
    package var outputs: [WantedOutput]

    package struct WantedOutput: Equatable, Sendable {
        package var kind: OutputKind
        /// Send the tensor as bytes after the JSON.
        package var isBinary: Bool
    }

    /// The tensors this model gives.
    package enum OutputKind: String, CaseIterable, Sendable {
        case label, probabilities
        case classIndex = "class"
    }

    package static let inputName = "features"
}

extension InferenceRequest {
    /// - Parameter jsonBytes: what `Inference-Header-Content-Length` says; nil without binary
    ///   tensors.
    package init(
        decoding body: Data, jsonBytes: Int?, features: Int
    ) throws(InferenceError) {
        let length = jsonBytes ?? body.count
        guard (0...body.count).contains(length) else {
            throw .invalid(
                "inference-header-content-length: 0 to the body's \(body.count) bytes expected")
        }
        let wire = try Self.wire(body.prefix(length))
        id = wire.id
        outputs = try Self.wanted(wire)
        guard let input = wire.inputs.first, wire.inputs.count == 1,
            input.name == Self.inputName
        else {
            let names = wire.inputs.map(\.name).joined(separator: ", ")
            throw .invalid(
                "inputs: exactly one input named \(Self.inputName) expected, got [\(names)]")
        }
        let values = try Self.values(of: input, binary: body.dropFirst(length), features: features)
        rows = stride(from: 0, to: values.count, by: features).map {
            Array(values[$0..<($0 + features)])
        }
    }

    private static func wire(_ json: Data) throws(InferenceError) -> WireRequest {
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(WireRequest.self, from: json)
        } catch let error as DecodingError {
            throw .invalid(error.sentence)
        } catch {
            throw .invalid("the body is not valid JSON")
        }
    }

    private static func wanted(_ wire: WireRequest) throws(InferenceError) -> [WantedOutput] {
        let binaryByDefault = wire.parameters?.binaryDataOutput ?? false
        guard let outputs = wire.outputs, !outputs.isEmpty else {
            return OutputKind.allCases.map { WantedOutput(kind: $0, isBinary: binaryByDefault) }
        }
        var wanted: [WantedOutput] = []
        for (index, output) in outputs.enumerated() {
            guard let kind = OutputKind(rawValue: output.name) else {
                let allowed = OutputKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalid(
                    "outputs[\(index)].name: unknown output \(output.name); allowed: \(allowed)")
            }
            guard output.parameters?.classification == nil else {
                throw .invalid(
                    "outputs[\(index)].parameters.classification: not supported; "
                        + "ask for label and probabilities")
            }
            let isBinary = output.parameters?.binaryData ?? binaryByDefault
            wanted.append(WantedOutput(kind: kind, isBinary: isBinary))
        }
        return wanted
    }

    private static func values(
        of input: WireRequest.Input, binary: Data, features: Int
    ) throws(InferenceError) -> [Double] {
        guard let datatype = TensorDatatype(rawValue: input.datatype) else {
            let allowed = TensorDatatype.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid(
                "inputs[0].datatype: \(input.datatype) is not accepted; allowed: \(allowed)")
        }
        guard input.shape.count == 2, input.shape[1] == features,
            (1...Limits.batchRows).contains(input.shape[0])
        else {
            throw .invalid(
                "inputs[0].shape: \(input.shape) given; [n, \(features)] expected, "
                    + "n from 1 to \(Limits.batchRows)")
        }
        let count = input.shape[0] * features
        let values =
            if let size = input.parameters?.binaryDataSize {
                try binaryValues(input, size: size, binary, count: count, datatype)
            } else {
                try listedValues(input, trailing: binary.count, count: count, datatype)
            }
        guard values.allSatisfy(\.isFinite) else {
            throw .invalid("inputs[0].data: NaN and infinity are not accepted")
        }
        return values
    }

    private static func listedValues(
        _ input: WireRequest.Input, trailing: Int, count: Int, _ datatype: TensorDatatype
    ) throws(InferenceError) -> [Double] {
        guard let data = input.data else { throw .invalid("inputs[0].data: is missing") }
        guard trailing == 0 else {
            throw .invalid("\(trailing) bytes follow the JSON, but no input has binary_data_size")
        }
        guard data.values.count == count else {
            throw .invalid(
                "inputs[0].data: \(data.values.count) values given, the shape \(input.shape) "
                    + "needs \(count)")
        }
        guard data.nesting.count == 1 || data.nesting == input.shape else {
            throw .invalid(
                "inputs[0].data: nested as \(data.nesting), the shape is \(input.shape)")
        }
        guard let wrong = data.values.first(where: { !datatype.holds($0) }) else {
            return data.values
        }
        throw .invalid("inputs[0].data: \(wrong) is not a value of \(datatype.rawValue)")
    }

    private static func binaryValues(
        _ input: WireRequest.Input, size: Int, _ bytes: Data, count: Int,
        _ datatype: TensorDatatype
    ) throws(InferenceError) -> [Double] {
        guard input.data == nil else {
            throw .invalid("inputs[0]: both data and binary_data_size given; send one")
        }
        let width = datatype.byteCount
        guard size == count * width, bytes.count == size else {
            throw .invalid(
                "inputs[0].parameters.binary_data_size: \(size) given and \(bytes.count) bytes "
                    + "follow the JSON; \(datatype.rawValue) \(input.shape) needs \(count * width)")
        }
        return (0..<count).map { index in
            let element = bytes.dropFirst(index * width).prefix(width)
            let bits = element.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return datatype.value(ofBits: bits)
        }
    }
}

/// The JSON as it stands on the wire; members we do not know are ignored, as the protocol wants.
private struct WireRequest: Decodable {
    struct Input: Decodable {
        struct Parameters: Decodable { var binaryDataSize: Int? }
        var name: String
        var shape: [Int]
        var datatype: String
        var parameters: Parameters?
        var data: TensorData?
    }

    struct Output: Decodable {
        struct Parameters: Decodable {
            var binaryData: Bool?
            var classification: Int?
        }
        var name: String
        var parameters: Parameters?
    }

    struct Parameters: Decodable { var binaryDataOutput: Bool? }

    var id: String?
    var inputs: [Input]
    var outputs: [Output]?
    var parameters: Parameters?
}
