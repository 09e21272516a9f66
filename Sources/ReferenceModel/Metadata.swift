// What the server and the model say about themselves.

struct ServerMetadata: Encodable {
    var name = "penstock-model"
    var version = "1"
    var extensions = ["binary_tensor_data"]
}

struct ModelReadiness: Encodable {
    var name: String
    var ready = true
}

struct ModelMetadata: Encodable {
    struct Tensor: Encodable {
        var name: String
        var datatype: String
        /// -1 is any length.
        var shape: [Int]
    }

    var name: String
    var versions: [String]
    var platform = "penstock_classifier"
    var inputs: [Tensor]
    var outputs: [Tensor]

    init(_ artifact: Artifact) {
        name = artifact.name
        versions = [artifact.version]
        inputs = [
            Tensor(
                name: InferenceRequest.inputName, datatype: "FP32",
                shape: [-1, artifact.features.count])
        ]
        outputs = [
            Tensor(name: "label", datatype: "BYTES", shape: [-1]),
            Tensor(name: "probabilities", datatype: "FP32", shape: [-1, artifact.labels.count]),
            Tensor(name: "class", datatype: "INT64", shape: [-1]),
        ]
    }
}
