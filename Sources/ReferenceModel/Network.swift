// The classifier itself: standardise, then dense layers, then softmax. No hidden layer makes it
// multinomial logistic regression; one makes it a small multilayer perceptron. Pure arithmetic.

import Foundation

package struct Network: Codable, Equatable, Sendable {
    /// Per feature: subtracted, then divided by.
    package var mean: [Double]
    package var deviation: [Double]
    package var layers: [Layer]

    package enum Activation: String, Codable, Sendable {
        case tanh, softmax
    }

    package struct Layer: Codable, Equatable, Sendable {
        /// One row an output.
        package var weights: [[Double]]
        package var bias: [Double]
        package var activation: Activation

        package init(weights: [[Double]], bias: [Double], activation: Activation) {
            self.weights = weights
            self.bias = bias
            self.activation = activation
        }
    }

    package init(mean: [Double], deviation: [Double], layers: [Layer]) {
        self.mean = mean
        self.deviation = deviation
        self.layers = layers
    }

    /// The probability of each label; sums to 1.
    package func probabilities(_ features: some Collection<Double>) -> [Double] {
        layers.reduce(standardised(features)) { $1.applied(to: $0) }
    }

    package func standardised(_ features: some Collection<Double>) -> [Double] {
        zip(features, zip(mean, deviation)).map { ($0 - $1.0) / $1.1 }
    }
}

extension Network.Layer {
    package func applied(to input: [Double]) -> [Double] {
        let sums = zip(weights, bias).map { row, bias in
            zip(row, input).reduce(bias) { $0 + $1.0 * $1.1 }
        }
        switch activation {
        case .tanh: return sums.map { Foundation.tanh($0) }
        case .softmax: return softmax(sums)
        }
    }

    /// Shifted by the largest first, so that no exponential overflows.
    private func softmax(_ sums: [Double]) -> [Double] {
        let largest = sums.max() ?? 0
        let powers = sums.map { exp($0 - largest) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }
}

extension Network {
    func check(inputs: Int, outputs: Int) throws(ArtifactError) {
        guard mean.count == inputs, deviation.count == inputs else {
            throw .invalid("network.mean, network.deviation: \(inputs) numbers expected")
        }
        guard mean.allSatisfy(\.isFinite), deviation.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw .invalid("network.deviation: finite numbers above 0 expected")
        }
        var width = inputs
        for (index, layer) in layers.enumerated() {
            let place = "network.layers[\(index)]"
            guard layer.weights.count == layer.bias.count,
                layer.weights.allSatisfy({ $0.count == width && $0.allSatisfy(\.isFinite) }),
                layer.bias.allSatisfy(\.isFinite)
            else {
                throw .invalid("\(place): rows of \(width) finite weights and one bias a row")
            }
            guard (layer.activation == .softmax) == (index == layers.count - 1) else {
                throw .invalid("\(place).activation: softmax belongs to the last layer, only there")
            }
            width = layer.bias.count
        }
        guard !layers.isEmpty, width == outputs else {
            throw .invalid("network.layers: the last one must have \(outputs) outputs")
        }
    }
}
