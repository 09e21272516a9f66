// Retries may not multiply an outage: over ten seconds at most a share of the requests, plus ten a
// second so that a quiet service can retry at all. One per service, shared by all loops.

package final class RetryBudget: Sendable {
    private let memory: SharedMemory<RetryRecord>
    package let handle: RetryBudgetHandle

    package init(share: Double) {
        memory = SharedMemory(count: Int(Limits.retryWindowSeconds)) { _ in RetryRecord() }
        handle = RetryBudgetHandle(share: share, records: memory.records)
    }

    package func recordRequest(now: Int64) { handle.recordRequest(now: now) }

    package func tryWithdraw(now: Int64) -> Bool { handle.tryWithdraw(now: now) }
}

/// One second of the window. Both words hold the second in their upper half and a count below, so
/// that a stale second is replaced in one exchange.
struct RetryRecord: ~Copyable {
    let requests = SharedInteger(0)
    let retries = SharedInteger(0)
    private let padding = LinePadding()
}

/// A trivial view of the budget for the request path.
package struct RetryBudgetHandle: Sendable {
    private let share: Double
    private let records: SharedRecords<RetryRecord>

    fileprivate init(share: Double, records: SharedRecords<RetryRecord>) {
        self.share = share
        self.records = records
    }

    /// Counts a client's request, once, however often it is tried.
    package func recordRequest(now: Int64) {
        let second = RetryBudgetHandle.second(now)
        RetryBudgetHandle.count(records[RetryBudgetHandle.slot(second)].requests, second)
    }

    /// Takes one retry out of the budget; false when it is used up.
    package func tryWithdraw(now: Int64) -> Bool {
        let second = RetryBudgetHandle.second(now)
        let slot = RetryBudgetHandle.slot(second)
        // Reserved first, so that two loops cannot both take the last one.
        RetryBudgetHandle.count(records[slot].retries, second)
        if isWithin(second) { return true }
        RetryBudgetHandle.uncount(records[slot].retries, second)
        return false
    }

    /// Whether the retries of the window, the one just counted included, are within the budget.
    private func isWithin(_ second: Int64) -> Bool {
        var requests: Int64 = 0
        var retries: Int64 = 0
        for index in 0..<records.count {
            requests += RetryBudgetHandle.recent(records[index].requests.value, second)
            retries += RetryBudgetHandle.recent(records[index].retries.value, second)
        }
        let free = Limits.retriesPerSecondFree * Limits.retryWindowSeconds
        return Double(retries) <= share * Double(requests) + Double(free)
    }

    private static func count(_ cell: borrowing SharedInteger, _ second: Int64) {
        while true {
            let seen = cell.value
            if seen >> 32 == second {
                cell.add(1)
                return
            }
            if cell.replace(seen, by: second << 32 | 1) { return }
        }
    }

    private static func uncount(_ cell: borrowing SharedInteger, _ second: Int64) {
        while true {
            let seen = cell.value
            guard seen >> 32 == second, seen & 0xffff_ffff > 0 else { return }
            if cell.replace(seen, by: seen - 1) { return }
        }
    }

    private static func recent(_ word: Int64, _ second: Int64) -> Int64 {
        let age = second - (word >> 32)
        return age >= 0 && age < Limits.retryWindowSeconds ? word & 0xffff_ffff : 0
    }

    private static func second(_ now: Int64) -> Int64 { now / Limits.second & 0x7fff_ffff }

    private static func slot(_ second: Int64) -> Int { Int(second % Limits.retryWindowSeconds) }
}
