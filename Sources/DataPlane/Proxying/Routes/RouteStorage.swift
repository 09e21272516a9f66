// The memory of a route table and the byte loops over it: a table owns it, lookups read it. The
// one file of the folder that touches memory by pointer. Words of eight bytes are hashed and
// compared, because hosts and paths are short and come with every request.

import HTTPWire

/// A run of bytes in the table's arena.
struct RoutePiece {
    var offset: UInt32 = 0
    var count: UInt32 = 0
}

/// One route, or a mark that some route with these keys also wants a model (`service` is -1).
struct RouteEntry {
    var shape: Int32
    var service: Int32
    var stripBytes: Int32 = 0
    var host = RoutePiece()
    var value = RoutePiece()
    var model = RoutePiece()
    var path = RoutePiece()
}

/// A place of the open-addressed hash table; `entry` -1 is free.
struct RouteSlot {
    var hash: UInt64 = 0
    var entry: Int32 = -1
}

/// Where a request's keys lie: `host` in the host's bytes, `value` in the head's, `pathEnd` behind
/// the path's prefix.
struct RouteKeys {
    var host = 0..<0
    var value = 0..<0
    var pathEnd = 0
}

@safe struct RouteStorage: @unchecked Sendable {
    let shapeCount: Int
    private let shapes: UnsafePointer<RouteShape>
    private let names: UnsafePointer<RoutePiece>
    private let entries: UnsafePointer<RouteEntry>
    private let slots: UnsafePointer<RouteSlot>
    private let slotMask: Int
    private let arena: UnsafeRawPointer

    /// - Precondition: the number of slots is a power of two and larger than that of the entries.
    init(
        shapes: [RouteShape], names: [RoutePiece], entries: [RouteEntry], slots: [RouteSlot],
        arena: [UInt8]
    ) {
        precondition(slots.count > entries.count && slots.count & (slots.count - 1) == 0)
        shapeCount = shapes.count
        slotMask = slots.count - 1
        unsafe self.shapes = RouteStorage.copy(shapes)
        unsafe self.names = RouteStorage.copy(names)
        unsafe self.entries = RouteStorage.copy(entries)
        unsafe self.slots = RouteStorage.copy(slots)
        unsafe self.arena = UnsafeRawPointer(RouteStorage.copy(arena))
    }

    private static func copy<Element>(_ array: [Element]) -> UnsafePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, array.count))
        for (index, element) in array.enumerated() {
            unsafe (memory + index).initialize(to: element)
        }
        return unsafe UnsafePointer(memory)
    }

    /// Ends every lookup's right to look.
    func free() {
        unsafe shapes.deallocate()
        unsafe names.deallocate()
        unsafe entries.deallocate()
        unsafe slots.deallocate()
        unsafe arena.deallocate()
    }

    @inline(__always)
    func shape(_ index: Int) -> RouteShape { unsafe shapes[index] }

    /// Is this the (lower case) header name of that number, in any case?
    @inline(__always)
    func isName(_ number: Int32, _ bytes: RawSpan, from: Int, count: Int) -> Bool {
        let name = unsafe names[Int(number)]
        return Int(name.count) == count
            && equals(name, bytes, from: from, to: from &+ count, foldsCase: true)
    }

    /// The entry of a shape that has exactly these keys.
    @inline(__always)
    func find(
        shape index: Int, keys: RouteKeys, path: RawSpan, host: RawSpan, head: RawSpan,
        model: RawSpan, isMark: Bool
    ) -> RouteEntry? {
        let shape = unsafe shapes[index]
        let hash = RouteStorage.hash(
            shape: index, of: shape, keys: keys, path: path, host: host, head: head,
            model: model, isMark: isMark)
        var place = Int(truncatingIfNeeded: hash) & slotMask
        while true {
            let slot = unsafe slots[place]
            if slot.entry < 0 { return nil }
            if slot.hash == hash {
                let entry = unsafe entries[Int(slot.entry)]
                if Int(entry.shape) == index, (entry.service < 0) == isMark,
                    equals(entry.host, host, from: keys.host, foldsCase: true),
                    equals(entry.value, head, from: keys.value, foldsCase: false),
                    equals(entry.path, path, from: 0..<keys.pathEnd, foldsCase: false),
                    isMark || !shape.hasModel
                        || equals(entry.model, model, from: 0..<model.byteCount, foldsCase: false)
                {
                    return entry
                }
            }
            place = (place &+ 1) & slotMask
        }
    }

    /// What the builder and the search agree on.
    @inline(__always)
    static func hash(
        shape index: Int, of shape: RouteShape, keys: RouteKeys, path: RawSpan, host: RawSpan,
        head: RawSpan, model: RawSpan, isMark: Bool
    ) -> UInt64 {
        var hash = mix(UInt64(truncatingIfNeeded: index) &+ 1, isMark ? 1 : 2)
        if shape.hostLabels >= 0 { hash = digest(host, keys.host, seed: hash, foldsCase: true) }
        if shape.hasHeader { hash = digest(head, keys.value, seed: hash, foldsCase: false) }
        if shape.segments >= 0 {
            hash = digest(path, 0..<keys.pathEnd, seed: hash, foldsCase: false)
        }
        if shape.hasModel, !isMark {
            hash = digest(model, 0..<model.byteCount, seed: hash, foldsCase: false)
        }
        return hash
    }

    @inline(__always)
    private func equals(
        _ piece: RoutePiece, _ bytes: RawSpan, from range: Range<Int>, foldsCase: Bool
    ) -> Bool {
        Int(piece.count) == range.upperBound &- range.lowerBound
            && equals(
                piece, bytes, from: range.lowerBound, to: range.upperBound, foldsCase: foldsCase)
    }

    /// - Precondition: the piece is `end - start` bytes long.
    @inline(__always)
    private func equals(
        _ piece: RoutePiece, _ bytes: RawSpan, from start: Int, to end: Int, foldsCase: Bool
    ) -> Bool {
        let count = end &- start
        precondition(start >= 0 && count >= 0 && end <= bytes.byteCount, "keys lie in their bytes")
        let own = unsafe arena + Int(piece.offset)
        var done = 0
        while count &- done >= 8 {
            let left = unsafe UInt64(
                littleEndian: own.loadUnaligned(fromByteOffset: done, as: UInt64.self))
            let right = RouteStorage.word(bytes, start &+ done, foldsCase: foldsCase)
            if left != right { return false }
            done = done &+ 8
        }
        while done < count {
            let left = unsafe own.load(fromByteOffset: done, as: UInt8.self)
            let right = bytes.byte(start &+ done)
            if left != (foldsCase ? RouteStorage.lowerCase(right) : right) { return false }
            done = done &+ 1
        }
        return true
    }

    /// Does `bytes` go on with this text at `offset`?
    @inline(__always)
    static func has(_ text: StaticString, in bytes: RawSpan, at offset: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard offset >= 0, bytes.byteCount &- offset >= count else { return false }
        for index in 0..<count {
            if unsafe bytes.byte(offset &+ index) != text.utf8Start[index] { return false }
        }
        return true
    }
}

// Hashing. The table is the operator's, so nobody can crowd it by choice of request; a quick
// folded multiplication (as in wyhash) is enough.

extension RouteStorage {
    @inline(__always)
    private static func digest(
        _ bytes: RawSpan, _ range: Range<Int>, seed: UInt64, foldsCase: Bool
    ) -> UInt64 {
        let count = range.upperBound &- range.lowerBound
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "keys lie in their bytes")
        var hash = mix(seed, UInt64(truncatingIfNeeded: count))
        var place = range.lowerBound
        while range.upperBound &- place >= 8 {
            hash = mix(hash, word(bytes, place, foldsCase: foldsCase))
            place = place &+ 8
        }
        if place == range.upperBound { return hash }
        if count >= 8 {
            return mix(hash, word(bytes, range.upperBound &- 8, foldsCase: foldsCase))
        }
        var rest: UInt64 = 0
        while place < range.upperBound {
            let byte = bytes.byte(place)
            rest = rest << 8 | UInt64(foldsCase ? lowerCase(byte) : byte)
            place = place &+ 1
        }
        return mix(hash, rest)
    }

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ 0xa076_1d64_78bd_642f)
            .multipliedFullWidth(by: right ^ 0xe703_7ed1_a0b4_28db)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ bytes: RawSpan, _ offset: Int, foldsCase: Bool) -> UInt64 {
        foldsCase ? lowerCase(bytes.word(offset)) : bytes.word(offset)
    }

    @inline(__always)
    private static func lowerCase(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }

    /// Eight ASCII letters at once; bytes of 0x80 and up are left alone.
    @inline(__always)
    private static func lowerCase(_ word: UInt64) -> UInt64 {
        let sevenBits = word & 0x7f7f_7f7f_7f7f_7f7f
        let beyondZ = sevenBits &+ 0x2525_2525_2525_2525
        let fromA = sevenBits &+ 0x3f3f_3f3f_3f3f_3f3f
        let upper = (fromA ^ beyondZ) & ~word & 0x8080_8080_8080_8080
        return word | upper >> 2
    }
}
