// The lock of a state directory: one holder, and free the moment it is given back, even while a
// process that is being started still has a copy of the descriptor.

import Fixtures
import Foundation
import Glibc
import State
import Testing

@Suite struct StateLockTests {
    let scratch = ScratchFolder()

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

    @Test func `a lock that is passed on is never free`() throws {
        let lock = try StateLock(directory: scratch.url)
        let heir = try StateLock(passed: dup(lock.descriptor), directory: scratch.url)
        lock.passOn()
        lock.release()
        #expect(!isFree())
        heir.release()
        #expect(isFree())
    }

    @Test func `an heir that gives up leaves the lock where it was`() throws {
        let lock = try StateLock(directory: scratch.url)
        try StateLock(passed: dup(lock.descriptor), directory: scratch.url).passOn()
        #expect(!isFree())
        lock.release()
        #expect(isFree())
    }

    @Test func `the lock of another directory is none`() throws {
        let lock = try StateLock(directory: scratch.url)
        let other = ScratchFolder()
        try FileManager.default.createDirectory(at: other.url, withIntermediateDirectories: true)
        _ = try StateLock(directory: other.url)
        #expect(throws: StateError.self) {
            try StateLock(passed: dup(lock.descriptor), directory: other.url)
        }
        #expect(!isFree())
    }

    @Test func `only the lock's own open file can be passed`() throws {
        let lock = try StateLock(directory: scratch.url)
        let path = scratch.url.appending(path: "lock").path(percentEncoded: false)
        let other = try #require(FileHandle(forUpdatingAtPath: path))
        #expect(throws: StateError.self) {
            try StateLock(passed: dup(other.fileDescriptor), directory: scratch.url)
        }
        lock.release()
    }

    @Test func `children do not inherit the lock`() throws {
        let lock = try StateLock(directory: scratch.url)
        #expect(fcntl(lock.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }
}
