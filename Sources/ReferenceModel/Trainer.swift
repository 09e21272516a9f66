// Fits a network to rows: cross-entropy with a little weight decay, full-batch gradients by back
// propagation, Adam steps. Pure and seeded: the same data and options give the same weights.

package struct Trainer: Sendable {
    /// Width of the one hidden layer; 0 is multinomial logistic regression.
    package var hidden: Int
    package var epochs: Int
    package var seed: UInt64
    package var rate = 0.05
    package var decay = 0.001

    package init(hidden: Int, epochs: Int, seed: UInt64) {
        self.hidden = hidden
        self.epochs = epochs
        self.seed = seed
    }

    package func train(_ rows: [TrainingTable.Row], labels: Int) -> Network {
        var network = start(rows, labels: labels)
        let inputs = rows.map { network.standardised($0.features) }
        var momentum = network.layers.map(Gradient.init(like:))
        for epoch in 1...max(1, epochs) {
            let gradients = gradients(network, inputs: inputs, rows: rows)
            for index in network.layers.indices {
                momentum[index].step(
                    &network.layers[index], gradients[index], epoch: epoch, rate: rate,
                    decay: decay)
            }
        }
        return network
    }

    /// The share of rows the network labels rightly.
    package static func accuracy(_ network: Network, on rows: [TrainingTable.Row]) -> Double {
        let right = rows.count { row in
            let chances = network.probabilities(row.features)
            return chances.indices.max { chances[$0] < chances[$1] } == row.label
        }
        return Double(right) / Double(max(1, rows.count))
    }

    private func start(_ rows: [TrainingTable.Row], labels: Int) -> Network {
        let width = rows.first?.features.count ?? 0
        let count = Double(rows.count)
        let mean = (0..<width).map { column in
            rows.reduce(0) { $0 + $1.features[column] } / count
        }
        let deviation = (0..<width).map { column in
            let squares = rows.reduce(0) { sum, row in
                let distance = row.features[column] - mean[column]
                return sum + distance * distance
            }
            return max((squares / count).squareRoot(), 1e-9)
        }
        var generator = SplitMix64(seed: seed)
        let widths = hidden > 0 ? [width, hidden, labels] : [width, labels]
        let layers = zip(widths, widths.dropFirst()).enumerated().map { index, pair in
            let reach = (6 / Double(pair.0 + pair.1)).squareRoot()
            return Network.Layer(
                weights: (0..<pair.1).map { _ in
                    (0..<pair.0).map { _ in .random(in: -reach...reach, using: &generator) }
                },
                bias: [Double](repeating: 0, count: pair.1),
                activation: index == widths.count - 2 ? .softmax : .tanh)
        }
        return Network(mean: mean, deviation: deviation, layers: layers)
    }

    /// Mean gradient of the cross-entropy over all rows.
    private func gradients(
        _ network: Network, inputs: [[Double]], rows: [TrainingTable.Row]
    ) -> [Gradient] {
        var sums = network.layers.map(Gradient.init(like:))
        for (input, row) in zip(inputs, rows) {
            var activations = [input]
            for layer in network.layers {
                activations.append(layer.applied(to: activations[activations.count - 1]))
            }
            // Softmax and cross-entropy together: probability minus one for the true label.
            var error = activations[network.layers.count]
            error[row.label] -= 1
            for index in network.layers.indices.reversed() {
                let below = activations[index]
                sums[index].add(error: error, input: below, share: 1 / Double(rows.count))
                guard index > 0 else { break }
                let weights = network.layers[index].weights
                error = below.indices.map { unit in
                    let back = zip(weights, error).reduce(0) { $0 + $1.0[unit] * $1.1 }
                    return back * (1 - below[unit] * below[unit])
                }
            }
        }
        return sums
    }
}

/// Gradients of one layer, and Adam's running moments of them.
private struct Gradient {
    var weights: [[Double]]
    var bias: [Double]
    private var weightSquares: [[Double]]
    private var biasSquares: [Double]

    init(like layer: Network.Layer) {
        weights = layer.weights.map { $0.map { _ in 0 } }
        bias = layer.bias.map { _ in 0 }
        weightSquares = weights
        biasSquares = bias
    }

    mutating func add(error: [Double], input: [Double], share: Double) {
        for output in error.indices {
            let part = error[output] * share
            bias[output] += part
            for unit in input.indices { weights[output][unit] += part * input[unit] }
        }
    }

    mutating func step(
        _ layer: inout Network.Layer, _ gradient: Gradient, epoch: Int, rate: Double,
        decay: Double
    ) {
        let adam = AdamStep(epoch: epoch, rate: rate)
        for output in layer.bias.indices {
            layer.bias[output] -= adam.move(
                &bias[output], &biasSquares[output], gradient.bias[output])
            for unit in layer.weights[output].indices {
                let slope =
                    gradient.weights[output][unit] + decay * layer.weights[output][unit]
                layer.weights[output][unit] -= adam.move(
                    &weights[output][unit], &weightSquares[output][unit], slope)
            }
        }
    }
}

/// One step of Adam (Kingma and Ba, 2015) with its usual constants.
private struct AdamStep {
    let rate: Double
    let meanCorrection: Double
    let squareCorrection: Double

    init(epoch: Int, rate: Double) {
        self.rate = rate
        meanCorrection = 1 - Self.power(0.9, epoch)
        squareCorrection = 1 - Self.power(0.999, epoch)
    }

    func move(_ mean: inout Double, _ square: inout Double, _ slope: Double) -> Double {
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope * slope
        return rate * (mean / meanCorrection)
            / ((square / squareCorrection).squareRoot() + 1e-8)
    }

    private static func power(_ number: Double, _ exponent: Int) -> Double {
        (0..<min(exponent, 20_000)).reduce(1) { product, _ in product * number }
    }
}
