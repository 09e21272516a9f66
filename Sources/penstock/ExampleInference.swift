// A command line to try a deployment with, whole: a request that its model understands, made from
// what it says about its inputs (the Open Inference Protocol's metadata names each tensor's shape
// and type), or, where it says nothing of use, the question that its health check asks.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Notation

enum ExampleInference {
    /// Measured lengths in centimetres of a well-known flower; any model takes some numbers.
    private static let numbers = ["5.1", "3.5", "1.4", "0.2"]
    /// A model with larger inputs needs a better example than a line of numbers.
    private static let elementsMax = 16

    /// - Parameter url: of the deployment, with the slash behind it.
    static func command(_ url: String, model: String, healthPath: String) async -> String {
        await inference(url, model: model) ?? health(url, healthPath)
    }

    /// Nil when the model tells nothing usable, also because it serves under another name.
    static func inference(_ url: String, model: String) async -> String? {
        let path = "\(url)v2/models/\(model)"
        guard let body = await body(from: path) else { return nil }
        return "curl -s \(path)/infer -H 'content-type: application/json' -d '\(body)'"
    }

    /// Every deployment answers there, whatever it serves.
    static func health(_ url: String, _ path: String) -> String {
        // It may have a query, and what ends a word of a shell.
        "curl -i '\(url)\(path.drop { $0 == "/" }.replacing("'", with: "%27"))'"
    }

    /// The body of a `POST …/infer`; nil when the model tells nothing usable.
    private static func body(from model: String) async -> String? {
        let request = HTTPClientRequest(url: model)
        // An example is a courtesy: without the model's answer there simply is none.
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(5)),
            response.status.code == 200,
            let bytes = try? await response.body.collect(upTo: 1024 * 1024),
            let metadata = JSONValue(Data(bytes.readableBytesView))
        else { return nil }
        return body(inputs: metadata["inputs"]?.list ?? [])
    }

    static func body(inputs: [JSONValue]) -> String? {
        let tensors = inputs.compactMap(tensor)
        guard !tensors.isEmpty, tensors.count == inputs.count else { return nil }
        return "{\"inputs\":[\(tensors.joined(separator: ","))]}"
    }

    private static func tensor(_ input: JSONValue) -> String? {
        guard let name = input["name"]?.text, let type = input["datatype"]?.text,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
        else { return nil }
        // A size that is left open is one.
        let shape = (input["shape"]?.list ?? []).map { max(1, Int($0.number ?? 1)) }
        let count = shape.reduce(1, *)
        guard count <= elementsMax, !shape.isEmpty else { return nil }
        let isFloating = type.hasPrefix("FP") || type == "BF16"
        guard isFloating || type.contains("INT") else { return nil }
        let data = (0..<count).map { isFloating ? numbers[$0 % numbers.count] : "1" }
        let sizes = shape.map(String.init).joined(separator: ",")
        return "{\"name\":\"\(name)\",\"shape\":[\(sizes)],\"datatype\":\"\(type)\","
            + "\"data\":[\(data.joined(separator: ","))]}"
    }
}
