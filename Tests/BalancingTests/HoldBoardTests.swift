// Whose turn it is when a slot is free: the loop whose first waiter came first.

import Balancing
import Testing

@Suite struct HoldBoardTests {
    private let board = Fleet(service(concurrency: 1)).table

    @Test func `the longest waiting is next, whichever loop holds it`() {
        let board = board.holdBoard(revision: 0)
        #expect(board.nextLoop() == nil)
        board.set(loop: 3, waiting: 2, oldestArrival: 20)
        board.set(loop: 0, waiting: 1, oldestArrival: 30)
        board.set(loop: 7, waiting: 5, oldestArrival: 10)
        #expect(board.waiting == 8)
        #expect(board.nextLoop() == 7)
        board.set(loop: 7, waiting: 4, oldestArrival: 25)
        #expect(board.nextLoop() == 3)
        board.set(loop: 3, waiting: 0, oldestArrival: 0)
        #expect(board.nextLoop() == 7)
        #expect(board.waiting == 5)
    }

    @Test func `a loop that no plan allows leaves no trace`() {
        let board = board.holdBoard(revision: 0)
        board.set(loop: 256, waiting: 1, oldestArrival: 1)
        #expect(board.waiting == 0)
    }
}
