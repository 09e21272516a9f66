// Long work that somebody waits for: a document of kind `operation`. At most one is active for a
// target, held by a second, small document with the target's name: creating that one is the
// compare-and-swap which lets a single starter win.

package import Foundation

extension DocumentKind {
    package static let operation: DocumentKind = "operation"
    /// Marks a target as being worked on; its spec names the operation.
    package static let activeOperation: DocumentKind = "operation-active"
}

package struct OperationRecord: Sendable, Equatable {
    package enum State: String, Sendable, Codable, CaseIterable {
        case pending, running, succeeded, failed, cancelled

        package var isFinished: Bool { self != .pending && self != .running }
    }

    package struct Progress: Sendable, Equatable, Codable {
        package var done: Int
        package var total: Int
        package var message: String

        package init(done: Int = 0, total: Int = 0, message: String = "") {
            self.done = done
            self.total = total
            self.message = message
        }
    }

    package struct Failure: Sendable, Equatable, Codable {
        /// One word in UPPER_SNAKE, for programs.
        package var code: String
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package var id: String
    /// `deployment.scale`.
    package var kind: String
    package var target: DocumentKey
    package var state: State
    package var progress: Progress
    package var error: Failure?
    /// JSON: what the work was asked to do, for whoever takes it up after a crash.
    package var request: String?
    /// JSON: what it has made.
    package var response: String?
    package var createdAt: Date
    package var createdBy: String
    package var updatedAt: Date
    package var finishedAt: Date?
    /// It is the one at work on its target; false while queued and when finished.
    package var isActive = false
    /// Of its document; 0 before it is stored.
    package var version: UInt64 = 0

    package var key: DocumentKey { DocumentKey(.operation, id) }
}
