// A plain pointer to a record that lives as long as its holder says: how sessions and streams find
// each other, from Swift and from the library's callbacks. As cheap as the pointer it is.

@safe struct RecordPointer<Record: ~Copyable>: Equatable {
    private let pointer: UnsafeMutablePointer<Record>

    /// `raw` came from the `raw` of a pointer to such a record, which still lives.
    @inline(__always) init?(_ raw: UnsafeMutableRawPointer?) {
        guard let raw = unsafe raw else { return nil }
        unsafe pointer = raw.assumingMemoryBound(to: Record.self)
    }

    init(making value: consuming Record) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    /// Ends the record. The pointer and its copies must not be used again.
    func free() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    var raw: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

    var it: Record {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    static func == (left: Self, right: Self) -> Bool { unsafe left.pointer == right.pointer }
}
