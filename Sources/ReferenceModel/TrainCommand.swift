// `penstock-model train`: data in, artifact out, with what is needed to make it again.

import ArgumentParser
import Foundation

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a classifier and write its artifact.",
        discussion: """
            The data are comma-separated numbers with the label last and one header line.
            Without --hidden it is multinomial logistic regression.

            Example:
              penstock-model train --data iris.csv --name iris --version v1 --output iris-v1.json
            """)

    @Option(help: "Comma-separated training data.") var data: String
    @Option(help: "Where to write the artifact.") var output: String
    @Option(help: "The model's name.") var name: String
    @Option(help: "The model's version.") var version: String
    @Option(help: "Units of one hidden layer; 0 is logistic regression.") var hidden = 0
    @Option(help: "Passes over the data.") var epochs = 400
    @Option(help: "Of the split and the first weights.") var seed: UInt64 = 1936

    func validate() throws {
        guard (0...1000).contains(hidden), (1...20_000).contains(epochs) else {
            throw ValidationError("allowed: --hidden 0 to 1000, --epochs 1 to 20000")
        }
    }

    func run() throws {
        let text = try String(contentsOf: URL(fileURLWithPath: data), encoding: .utf8)
        let table = try TrainingTable(parsing: text)
        let (training, heldOut) = table.split(seed: seed)
        let trainer = Trainer(hidden: hidden, epochs: epochs, seed: seed)
        let network = trainer.train(training, labels: table.labels.count)
        let provenance = Artifact.Provenance(
            data: URL(fileURLWithPath: data).lastPathComponent, rows: training.count, seed: seed,
            epochs: epochs, trainingAccuracy: Trainer.accuracy(network, on: training),
            heldOutAccuracy: Trainer.accuracy(network, on: heldOut))
        var artifact = Artifact(
            name: name, version: version, features: table.features, labels: table.labels,
            network: network, examples: [], training: provenance)
        artifact.examples = table.labels.indices.compactMap { label in
            heldOut.first { $0.label == label }.map {
                let answer = artifact.label(of: network.probabilities($0.features))
                return Artifact.Example(features: $0.features, label: answer)
            }
        }
        try artifact.encoded().write(to: URL(fileURLWithPath: output))
        print(
            "\(output): right on \(percent(provenance.trainingAccuracy)) of \(training.count) "
                + "rows and \(percent(provenance.heldOutAccuracy)) of \(heldOut.count) held out")
    }

    private func percent(_ share: Double) -> String {
        "\((share * 1000).rounded() / 10) %"
    }
}
