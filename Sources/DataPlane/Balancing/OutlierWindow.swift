// What one endpoint answered lately, for ejection: sums that `evaluate` decays by a tenth each
// second, so that they speak of about ten seconds. Updated under the endpoint's sample gate.
// Written out as load and store: `+=` counts as one long access, which ThreadSanitizer reports.

struct OutlierWindow: ~Copyable {
    let requests = SharedNumber(0)
    let failures = SharedNumber(0)
    /// Answers with a latency, the sum of its logarithms and of their squares.
    let answers = SharedNumber(0)
    let logarithms = SharedNumber(0)
    let squares = SharedNumber(0)

    func record(isFailure: Bool, logarithm: Double) {
        requests.value = requests.value + 1
        if isFailure {
            failures.value = failures.value + 1
            return
        }
        answers.value = answers.value + 1
        logarithms.value = logarithms.value + logarithm
        squares.value = squares.value + logarithm * logarithm
    }

    func scale(by kept: Double) {
        requests.value = requests.value * kept
        failures.value = failures.value * kept
        answers.value = answers.value * kept
        logarithms.value = logarithms.value * kept
        squares.value = squares.value * kept
    }
}
