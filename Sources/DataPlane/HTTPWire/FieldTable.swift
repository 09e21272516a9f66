// The header fields of one message as offsets into its bytes. One table serves a whole loop: it is
// allocated once, filled by a parser, read until the next parse, and never grows.

package struct Field: Equatable, Sendable {
    package var name: Slice
    /// Without the optional whitespace around it.
    package var value: Slice
    /// From the name's first byte through CRLF: what is forwarded when a field is kept.
    package var line: Slice
    package var known: FieldName
    /// Ends at this gateway: the fixed list, and what `Connection` nominates. In trailers also
    /// every field that RFC 9110 6.5.1 keeps out of them.
    package var isHopByHop: Bool
    /// Spells a name we rely on with `_` for `-`; a CGI-style server would take one for the other.
    package var isAlias: Bool

    package init(
        name: Slice, value: Slice, line: Slice, known: FieldName = .other,
        isHopByHop: Bool = false, isAlias: Bool = false
    ) {
        self.name = name
        self.value = value
        self.line = line
        self.known = known
        self.isHopByHop = isHopByHop
        self.isAlias = isAlias
    }
}

@safe package struct FieldTable: ~Copyable {
    package let capacity: Int
    package private(set) var count = 0
    /// Names seen at least once, and more than once.
    package private(set) var present = FieldMask.none
    package private(set) var repeated = FieldMask.none
    private let storage: UnsafeMutablePointer<Field>
    /// Index of the first field of each known name; only valid where `present` has it.
    private let firsts: UnsafeMutablePointer<Int16>

    /// Capacity is what a message may have at most; `Limits` bounds it well below `Int16.max`.
    package init(capacity: Int) {
        precondition(capacity > 0 && capacity <= Limits.headersMax, "a field table has a bound")
        self.capacity = capacity
        unsafe storage = .allocate(capacity: capacity)
        unsafe firsts = .allocate(capacity: 64)
        unsafe firsts.initialize(repeating: -1, count: 64)
    }

    deinit {
        unsafe storage.deallocate()
        unsafe firsts.deallocate()
    }

    package subscript(_ index: Int) -> Field {
        get {
            precondition(index >= 0 && index < count, "a field that was parsed")
            return unsafe storage[index]
        }
        set {
            precondition(index >= 0 && index < count, "a field that was parsed")
            unsafe storage[index] = newValue
        }
    }

    /// Index of the first field with this name, or -1.
    package func first(_ name: FieldName) -> Int {
        present.contains(name) ? Int(unsafe firsts[Int(name.rawValue)]) : -1
    }

    package mutating func removeAll() {
        count = 0
        present = .none
        repeated = .none
    }

    /// False when the table is full.
    @inline(__always) package mutating func append(_ field: Field) -> Bool {
        guard count < capacity else { return false }
        unsafe storage[count] = field
        let bit = FieldMask(field.known)
        if present.bits & bit.bits == 0 {
            present = present.union(bit)
            unsafe firsts[Int(field.known.rawValue)] = Int16(truncatingIfNeeded: count)
        } else {
            repeated = repeated.union(bit)
        }
        count &+= 1
        return true
    }
}
