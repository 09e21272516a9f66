// The budget of retries: a fifth of the requests of ten seconds, plus ten a second.

import Balancing
import Testing

@Suite struct RetryBudgetTests {
    private func withdrawals(_ budget: RetryBudget, at now: Int64) -> Int {
        var count = 0
        while count < 100_000 && budget.tryWithdraw(now: now) { count += 1 }
        return count
    }

    @Test func `a quiet service has a hundred retries in ten seconds`() {
        #expect(withdrawals(RetryBudget(share: 0.2), at: 50 * second) == 100)
    }

    @Test func `a fifth of the requests may be retried`() {
        let budget = RetryBudget(share: 0.2)
        for index in 0..<1000 { budget.recordRequest(now: 50 * second + Int64(index) * 1_000_000) }
        #expect(withdrawals(budget, at: 51 * second) == 300)
    }

    @Test func `requests and retries are forgotten after ten seconds`() {
        let budget = RetryBudget(share: 0.2)
        for _ in 0..<1000 { budget.recordRequest(now: 50 * second) }
        #expect(withdrawals(budget, at: 50 * second) == 300)
        #expect(withdrawals(budget, at: 59 * second) == 0)
        #expect(withdrawals(budget, at: 60 * second) == 100)
    }

    @Test func `loops that withdraw at once never exceed the budget`() async {
        let budget = RetryBudget(share: 0.2)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<200).reduce(0) { sum, _ in
                        sum + (budget.tryWithdraw(now: 7 * second) ? 1 : 0)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(taken <= 100)
        // A loop may lose its try to another's reservation that is given back, but not many.
        #expect(taken >= 90)
    }
}
