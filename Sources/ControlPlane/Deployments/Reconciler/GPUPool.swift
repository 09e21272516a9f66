// How many GPUs of which type are free. A replica's row holds its own from the moment it is made
// until its process is gone, also over a crash, so that no more are promised than there are; which
// of them it gets is the runtime's affair. Types are compared as the runtime compares them.

import Notation

package struct GPUPool: Sendable, Equatable {
    private var free: [String: Int]

    /// - Parameter total: how many there are, by type.
    package init(total: [String: Int] = [:]) {
        free = total
    }

    /// Nil is any type.
    package func available(type: String?) -> Int {
        fitting(type).reduce(0) { $0 + max(0, $1.value) }
    }

    /// All of one type, or none.
    ///
    /// - Returns: the type by the name that the devices bear; of several that would do, the one
    ///   with most to spare.
    package mutating func take(_ count: Int, type: String?) -> String? {
        let found = fitting(type).max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        guard let found, free[found] ?? 0 >= count else { return nil }
        free[found, default: 0] -= count
        return found
    }

    /// What a stored row holds, whether or not there are so many: a card that was taken out of the
    /// host must not make room.
    package mutating func hold(_ count: Int, type: String) {
        free[name(of: type), default: 0] -= count
    }

    package mutating func release(_ count: Int, type: String) {
        free[name(of: type), default: 0] += count
    }

    private func fitting(_ type: String?) -> [String: Int] {
        guard let type else { return free }
        return free.filter { GPUType.isSame(type, $0.key) }
    }

    /// The configuration may have spelled the type otherwise when the row was made.
    private func name(of type: String) -> String {
        free[type] == nil ? fitting(type).keys.min() ?? type : type
    }
}
