// Bytes that outlive the value they were made from, for code that borrows what others own.

import Proxying
import Reactor

/// Owns a text as bytes; `bytes` is good for as long as the value is held.
@safe
final class TextBytes {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ text: String) {
        let content = Array(text.utf8)
        unsafe memory = .allocate(byteCount: max(1, content.count), alignment: 1)
        unsafe memory.copyBytes(from: content)
        bytes = unsafe Bytes(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<content.count]))
    }

    deinit { unsafe memory.deallocate() }

    let bytes: Bytes
}

extension Bytes {
    var text: String { String(decoding: unsafe Array(buffer), as: UTF8.self) }
}
