// The round that keeps the state directory small and its audit log signed, once a minute. While the
// disk is full it is also what finds out that there is room again. The last signature is made while
// requests drain, so that nobody waits for it.

import Foundation
import Logging
import State

actor Upkeep {
    private let store: Store
    private let log = Logger(label: "penstock.state")
    private var rounds: Task<Void, Never>?

    init(_ store: Store) {
        self.store = store
    }

    func begin() {
        rounds = Task { [store, log] in
            var told: String?
            while !Task.isCancelled {
                let fault = await Upkeep.round(store)
                if fault != told {
                    if let fault {
                        log.error("the state needs care", metadata: ["cause": "\(fault)"])
                    } else {
                        log.notice("the state is well again")
                    }
                    told = fault
                }
                // Cancelled is as good: the loop ends.
                try? await Task.sleep(for: .seconds(60))
            }
            // Not this task, whose reads are cancelled.
            await Task { await Upkeep.sign(store, log) }.value
        }
    }

    /// Begins the last signature, which nobody needs to wait for.
    func cancel() { rounds?.cancel() }

    /// Waits for the last signature.
    func end() async {
        rounds?.cancel()
        await rounds?.value
        rounds = nil
    }

    /// Closes the database as well.
    func close() async {
        await end()
        do {
            try store.close()
        } catch {
            log.warning(
                "the state was not closed in good order", metadata: ["cause": "\(error)"])
        }
    }

    /// What was wrong; nil when nothing.
    private static func round(_ store: Store) async -> String? {
        do {
            _ = try await store.upkeep(now: Date())
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func sign(_ store: Store, _ log: Logger) async {
        do {
            try await store.signAudit(now: Date())
        } catch {
            log.warning("the audit log is not signed", metadata: ["cause": "\(error)"])
        }
    }
}
