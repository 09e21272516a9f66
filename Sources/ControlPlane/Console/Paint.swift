// Colour as a value: whether it is on is decided once, where the terminal is known, and everything
// below it only says what a text means.

package struct Paint: Sendable {
    package enum Ink: Int, Sendable, CaseIterable {
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
        case cyan = 36
    }

    package let isOn: Bool

    package static let plain = Paint(isOn: false)

    package init(isOn: Bool) {
        self.isOn = isOn
    }

    package func callAsFunction(_ text: String, _ ink: Ink?) -> String {
        guard isOn, let ink, !text.isEmpty else { return text }
        return "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m"
    }

    /// Every code that a painted text may hold.
    static let codes: [String.UnicodeScalarView] = ([0] + Ink.allCases.map(\.rawValue)).map {
        "\u{1b}[\($0)m".unicodeScalars
    }
}

extension Paint.Ink {
    /// What a deployment's or replica's word means to whoever looks: well, on the way, or not well.
    package static func of(state word: String) -> Paint.Ink? {
        switch word {
        case "healthy", "ready", "succeeded", "up", "True": .green
        case "failed", "False", "ejected", "down": .red
        case "degraded", "provisioning", "starting", "stopping", "deleting", "draining", "warming",
            "loading", "spawning", "reserved", "pending", "running", "cancelled", "drained":
            .yellow
        case "stopped", "exited", "unknown", "Unknown": .dim
        default: nil
        }
    }
}
