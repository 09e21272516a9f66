// Bytes in, a batch or an honest refusal out. Every refusal names the field, because that is all
// its reader has to go by.

import Foundation
import Testing

import enum penstock_model.InferenceError
import struct penstock_model.InferenceRequest

@Suite struct InferenceRequestTests {
    @Test(arguments: [
        #""shape":[2,4],"datatype":"FP32","data":[1,2,3,4,5,6,7,8]"#,
        #""shape":[2,4],"datatype":"FP64","data":[[1,2,3,4],[5,6,7,8]]"#,
        #""shape":[2,4],"datatype":"UINT8","data":[1,2,3,4,5,6,7,8]"#,
        #""shape":[2,4],"datatype":"INT64","data":[1.0,2,3,4,5,6,7,8],"extra":{"a":1}"#,
    ])
    func `a batch in any numeric datatype, flat or nested, is read row by row`(
        input: String
    ) throws {
        let request = try decode(#"{"inputs":[{"name":"features",\#(input)}],"id":"7"}"#)

        #expect(request.rows == [[1, 2, 3, 4], [5, 6, 7, 8]])
        #expect(request.id == "7")
    }

    @Test(arguments: [
        (#""shape":[1,4],"datatype":"FP32","data":[1,2,3]"#, "inputs[0].data: 3 values given"),
        (#""shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]"#, "inputs[0].shape"),
        (#""shape":[4],"datatype":"FP32","data":[1,2,3,4]"#, "inputs[0].shape"),
        (#""shape":[0,4],"datatype":"FP32","data":[]"#, "inputs[0].shape"),
        (#""shape":[-1,4],"datatype":"FP32","data":[1,2,3,4]"#, "inputs[0].shape"),
        (#""shape":[65537,4],"datatype":"FP32","data":[]"#, "inputs[0].shape"),
        (#""shape":[9223372036854775807,4],"datatype":"FP32","data":[]"#, "inputs[0].shape"),
        (#""datatype":"FP32","data":[1,2,3,4]"#, "inputs[0].shape: is missing"),
        (#""shape":[1,4],"datatype":"FP32""#, "inputs[0].data: is missing"),
        (#""shape":[1,4],"datatype":"BYTES","data":[1,2,3,4]"#, "inputs[0].datatype: BYTES"),
        (#""shape":[1,4],"datatype":"FP32","data":[1,2,3,"a"]"#, "inputs[0].data[3]"),
        (#""shape":[1,4],"datatype":"FP32","data":[1,2,3,null]"#, "inputs[0].data[3]"),
        (#""shape":[1,4],"datatype":"FP32","data":"1234""#, "inputs[0].data"),
        (#""shape":[1,4],"datatype":"FP32","data":[1,2,3,1e39]"#, "1e+39 is not a value of FP32"),
        (#""shape":[1,4],"datatype":"INT8","data":[1,2,3,128]"#, "128.0 is not a value of INT8"),
        (#""shape":[1,4],"datatype":"INT32","data":[1,2,3,0.5]"#, "0.5 is not a value of INT32"),
        (#""shape":[2,4],"datatype":"FP32","data":[[1,2,3],[4,5,6,7,8]]"#, "different lengths"),
        (#""shape":[2,4],"datatype":"FP32","data":[[1,2],[3,4],[5,6],[7,8]]"#, "nested as [4, 2]"),
    ])
    func `a tensor that is not what it says is refused by name`(
        input: String, reason: String
    ) {
        expectRefusal(#"{"inputs":[{"name":"features",\#(input)}]}"#, naming: reason)
    }

    @Test(arguments: [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[]", "an object expected"),
        ("{}", "inputs: is missing"),
        (#"{"inputs":[]}"#, "exactly one input named features"),
        (#"{"inputs":7}"#, "inputs: a list expected"),
        (#"{"inputs":[],"outputs":[{"name":"logits"}]}"#, "unknown output logits; allowed"),
        (
            #"{"inputs":[],"outputs":[{"name":"label","parameters":{"classification":2}}]}"#,
            "classification: not supported"
        ),
    ])
    func `a body that is not a request is refused by name`(body: String, reason: String) {
        expectRefusal(body, naming: reason)
    }

    @Test func `a nest of a thousand lists is refused, not followed`() {
        let data = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        expectRefusal(
            #"{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":\#(data)}]}"#,
            naming: "nested too deep")
    }

    @Test(arguments: [
        ("BOOL", [1, 0, 1, 0] as [UInt8], [1, 0, 1, 0] as [Double]),
        ("INT8", [255, 1, 127, 128], [-1, 1, 127, -128]),
        ("UINT16", [1, 0, 0, 1, 255, 255, 0, 0], [1, 256, 65_535, 0]),
        ("FP16", [0, 0x3C, 0, 0xC0, 0, 0, 0, 0x38], [1, -2, 0, 0.5]),
        ("BF16", [0x80, 0x3F, 0, 0xC0, 0, 0, 0, 0x3F], [1, -2, 0, 0.5]),
    ])
    func `binary tensors follow the JSON, least significant byte first`(
        datatype: String, bytes: [UInt8], values: [Double]
    ) throws {
        let request = try decode(header(datatype, size: bytes.count), tensor: bytes)

        #expect(request.rows == [values])
    }

    @Test func `a binary NaN is refused`() {
        let bytes = [Float.nan, 1, 2, 3].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
        }
        expectRefusal(header("FP32", size: 16), tensor: bytes, naming: "NaN")
    }

    @Test(arguments: [(16, 12), (12, 12), (16, 20), (-1, 16), (Int.max, 16)])
    func `a binary tensor of the wrong length is refused`(declared: Int, sent: Int) {
        expectRefusal(
            header("FP32", size: declared), tensor: [UInt8](repeating: 0, count: sent),
            naming: "binary_data_size")
    }

    @Test func `JSON longer than the body is refused`() {
        #expect(throws: InferenceError.self) {
            try InferenceRequest(decoding: Data("{}".utf8), jsonBytes: 3, features: 4)
        }
    }

    @Test func `data and a binary size together are refused`() {
        expectRefusal(
            #"""
            {"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[1,2,3,4],
            "parameters":{"binary_data_size":16}}]}
            """#, naming: "both data and binary_data_size")
    }

    @Test func `an output's own wish for binary wins over the request's`() throws {
        let request = try decode(
            #"""
            {"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}],
            "parameters":{"binary_data_output":true},
            "outputs":[{"name":"class"},{"name":"label","parameters":{"binary_data":false}}]}
            """#)

        #expect(request.outputs.map(\.kind) == [.classIndex, .label])
        #expect(request.outputs.map(\.isBinary) == [true, false])
    }

    private func header(_ datatype: String, size: Int) -> String {
        #"{"inputs":[{"name":"features","shape":[1,4],"datatype":"\#(datatype)","#
            + #""parameters":{"binary_data_size":\#(size)}}]}"#
    }

    private func decode(_ json: String, tensor: [UInt8]? = nil) throws -> InferenceRequest {
        try InferenceRequest(
            decoding: Data(json.utf8) + Data(tensor ?? []),
            jsonBytes: tensor.map { _ in json.utf8.count }, features: 4)
    }

    private func expectRefusal(
        _ json: String, tensor: [UInt8]? = nil, naming reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: InferenceError.self, sourceLocation: sourceLocation) {
            try decode(json, tensor: tensor)
        }
        #expect(error?.status == 400, sourceLocation: sourceLocation)
        #expect(
            error?.sentence.contains(reason) == true, "\(error?.sentence ?? "accepted")",
            sourceLocation: sourceLocation)
    }
}
