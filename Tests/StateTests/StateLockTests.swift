// The lock of a state directory: one holder, and free the moment it is given back, even while a
// process that is being started still has a copy of the descriptor.

import Foundation
import Glibc
import State
import Testing

@Suite struct StateLockTests {
    let scratch = ScratchDirectory()

    init() throws {
        try FileManager.default.createDirectory(
            at: scratch.url, withIntermediateDirectories: true)
    }

    private func isFree() -> Bool {
        // Why it is not free is told by other tests.
        (try? StateLock(directory: scratch.url)) != nil
    }

    @Test func `a directory is one holder's until it is given back`() throws {
        let lock = try StateLock(directory: scratch.url)
        #expect(!isFree())
        lock.release()
        lock.release()
        #expect(isFree())
    }

    @Test func `a copy of the descriptor does not keep what was given back`() throws {
        let lock = try StateLock(directory: scratch.url)
        let copy = dup(lock.descriptor)
        lock.release()
        #expect(isFree())
        close(copy)
    }

    @Test func `a copy of the descriptor does not keep what was dropped`() throws {
        var lock: StateLock? = try StateLock(directory: scratch.url)
        let copy = dup(try #require(lock).descriptor)
        lock = nil
        #expect(isFree())
        close(copy)
    }

    @Test func `children do not inherit the lock`() throws {
        let lock = try StateLock(directory: scratch.url)
        #expect(fcntl(lock.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }
}
