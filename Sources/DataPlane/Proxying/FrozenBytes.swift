// Text that a plan's header lines and names are made of: written once on the control thread, read
// on the loops as plain bytes, freed with the plan.

package import Reactor

@safe
package final class FrozenBytes: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    convenience init(_ text: String) {
        self.init(Array(text.utf8))
    }

    init(_ content: [UInt8]) {
        unsafe memory = .allocate(byteCount: max(1, content.count), alignment: 1)
        unsafe memory.copyBytes(from: content)
        count = content.count
    }

    let count: Int

    deinit { unsafe memory.deallocate() }

    /// Valid as long as the object.
    package var bytes: Bytes {
        unsafe Bytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
    }
}
