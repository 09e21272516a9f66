// A fixed row of records in memory of its own: what a plan consists of on a loop. A plain pointer,
// so that reading through it counts no reference; whoever made it frees it.

import Reactor

@safe
struct Block<Record: ~Copyable> {
    private let base: UnsafeMutablePointer<Record>?
    let count: Int

    static func make(count: Int, _ record: (Int) -> Record) -> Block {
        guard count > 0 else { return unsafe Block(base: nil, count: 0) }
        let base = UnsafeMutablePointer<Record>.allocate(capacity: count)
        for index in 0..<count { unsafe (base + index).initialize(to: record(index)) }
        return unsafe Block(base: base, count: count)
    }

    private init(base: UnsafeMutablePointer<Record>?, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    subscript(_ index: Int) -> Slot<Record> {
        guard let base = unsafe base, index >= 0, index < count else {
            preconditionFailure("a record of the block")
        }
        return unsafe Slot(base + index)
    }

    func free() {
        unsafe base?.deinitialize(count: count)
        unsafe base?.deallocate()
    }
}
