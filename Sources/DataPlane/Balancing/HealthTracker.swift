// Turns single probe results into a verdict: `fall` failures in a row are down, `rise` successes in
// a row are up again. The first success of an endpoint never checked before decides at once.

package import Traffic

package struct HealthTracker: Sendable {
    package private(set) var health: EndpointHealth = .unknown
    private let rise: Int
    private let fall: Int
    /// Results in a row that speak against `health`.
    private var streak = 0

    package init(rise: Int, fall: Int, health: EndpointHealth = .unknown) {
        self.rise = rise
        self.fall = fall
        self.health = health
    }

    /// A probe succeeded. Returns the new verdict if it changed.
    ///
    /// - Parameter isPanicking: no endpoint of the revision is usable: one success is enough.
    package mutating func succeeded(isPanicking: Bool = false) -> EndpointHealth? {
        switch health {
        case .up:
            streak = 0
            return nil
        case .unknown: return become(.up)
        case .down:
            streak += 1
            return streak >= (isPanicking ? 1 : rise) ? become(.up) : nil
        }
    }

    /// A probe failed. Returns the new verdict if it changed.
    package mutating func failed() -> EndpointHealth? {
        if health == .down {
            streak = 0
            return nil
        }
        streak += 1
        return streak >= fall ? become(.down) : nil
    }

    private mutating func become(_ verdict: EndpointHealth) -> EndpointHealth {
        streak = 0
        health = verdict
        return verdict
    }
}
