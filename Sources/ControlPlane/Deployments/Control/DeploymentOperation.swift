// Work that takes its time, as whoever waits for it sees it. The controller stores it; a crash does
// not lose it.

package import Foundation

package struct DeploymentOperation: Sendable, Equatable {
    package enum Phase: String, Sendable, CaseIterable {
        case pending, running, succeeded, failed, cancelled

        package var isDone: Bool { self != .pending && self != .running }
    }

    package struct Failure: Sendable, Equatable {
        /// UPPER_SNAKE.
        package var code: String
        package var message: String
        package var hint: String?

        package init(code: String, message: String, hint: String? = nil) {
            self.code = code
            self.message = message
            self.hint = hint
        }
    }

    package var id: String
    /// `scale`, `update_model`: the change's action.
    package var action: String
    package var deployment: String
    package var phase: Phase
    /// Steps done and in all; 0 of 0 when that cannot be told.
    package var stepsDone: Int
    package var stepsTotal: Int
    /// What is going on, in words.
    package var message: String
    package var failure: Failure?
    package var createdAt: Date
    package var createdBy: String
    package var updatedAt: Date
    package var finishedAt: Date?
    package var reason: String?
    /// The one that was in force, and the one this leads to.
    package var fromRevision: Int?
    package var toRevision: Int?
    /// It failed, and the old revision serves as before.
    package var hasRolledBack: Bool

    package init(
        id: String, action: String, deployment: String, phase: Phase, stepsDone: Int = 0,
        stepsTotal: Int = 0, message: String = "", failure: Failure? = nil, createdAt: Date,
        createdBy: String, updatedAt: Date, finishedAt: Date? = nil, reason: String? = nil,
        fromRevision: Int? = nil, toRevision: Int? = nil, hasRolledBack: Bool = false
    ) {
        self.id = id
        self.action = action
        self.deployment = deployment
        self.phase = phase
        self.stepsDone = stepsDone
        self.stepsTotal = stepsTotal
        self.message = message
        self.failure = failure
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.updatedAt = updatedAt
        self.finishedAt = finishedAt
        self.reason = reason
        self.fromRevision = fromRevision
        self.toRevision = toRevision
        self.hasRolledBack = hasRolledBack
    }
}
