// Memory that a loop writes into before it sends: one piece for all of its connections, allocated
// once. What lies in it holds until it is filled again.

@safe
package struct Scratch: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer

    package init(byteCount: Int) {
        unsafe memory = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    /// - Returns: how many bytes `body` says it has written.
    package func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let count = unsafe body(memory)
        precondition(unsafe count >= 0 && count <= memory.count, "what is written fits")
        return count
    }

    /// The first `count` bytes.
    package func bytes(_ count: Int) -> Bytes {
        unsafe Bytes(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
}
