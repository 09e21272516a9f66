// Turns routes into the arrays of a `RouteStorage`. Runs on the control thread, once per plan, and
// may allocate as it likes; what it hashes the search must hash alike.

import Traffic

struct RouteStorageBuilder {
    private struct Pending {
        var shape: RouteShape
        var route: RoutePlan
        var service: Int32
    }

    private var pending: [Pending] = []
    private var names: [String] = []
    private var arena: [UInt8] = []

    mutating func add(_ route: RoutePlan, service: Int32) {
        var route = route
        route.host = route.host?.lowercased()
        route.path = route.path.map(RouteStorageBuilder.withoutLastSlash)
        let shape = RouteShape(
            hostLabels: route.host.map(RouteStorageBuilder.labels) ?? -1,
            headerName: route.header.map { number(ofName: $0.name.lowercased()) } ?? -1,
            hasModel: route.model != nil,
            segments: route.path.map { Int32($0.utf8.count { $0 == 0x2f }) } ?? -1)
        pending.append(Pending(shape: shape, route: route, service: service))
    }

    mutating func finish() -> RouteStorage {
        let shapes = Set(pending.map(\.shape)).sorted(by: RouteTable.precedes)
        var places: [RouteShape: Int] = [:]
        for (index, shape) in shapes.enumerated() { places[shape] = index }
        var entries: [RouteEntry] = []
        var hashes: [UInt64] = []
        var seen = Set<SeenKey>()
        for item in pending {
            let shape = places[item.shape] ?? 0
            for isMark in item.shape.hasModel ? [false, true] : [false] {
                guard seen.insert(SeenKey(shape, item.route, isMark: isMark)).inserted
                else { continue }
                hashes.append(hash(item, shape: shape, isMark: isMark))
                entries.append(entry(item, shape: shape, isMark: isMark))
            }
        }
        return RouteStorage(
            shapes: shapes, names: names.map { piece($0) }, entries: entries,
            slots: RouteStorageBuilder.slots(hashes), arena: arena)
    }

    /// Half empty at most, so that a search ends soon.
    private static func slots(_ hashes: [UInt64]) -> [RouteSlot] {
        var count = 4
        while count < hashes.count * 2 { count *= 2 }
        var slots = [RouteSlot](repeating: RouteSlot(), count: count)
        for (entry, hash) in hashes.enumerated() {
            var place = Int(truncatingIfNeeded: hash) & (count - 1)
            while slots[place].entry >= 0 { place = (place + 1) & (count - 1) }
            slots[place] = RouteSlot(hash: hash, entry: Int32(entry))
        }
        return slots
    }

    private mutating func entry(_ item: Pending, shape: Int, isMark: Bool) -> RouteEntry {
        let path = item.route.path ?? ""
        return RouteEntry(
            shape: Int32(shape), service: isMark ? -1 : item.service,
            stripBytes: item.route.strips ? Int32(path.utf8.count) : 0,
            host: piece(RouteStorageBuilder.matchedHost(item.route.host ?? "")),
            value: piece(item.route.header?.value ?? ""),
            model: piece(item.route.model ?? ""),
            path: piece(path))
    }

    private func hash(_ item: Pending, shape: Int, isMark: Bool) -> UInt64 {
        let host = Array(RouteStorageBuilder.matchedHost(item.route.host ?? "").utf8)
        let value = Array((item.route.header?.value ?? "").utf8)
        let path = Array((item.route.path ?? "").utf8)
        let model = Array((item.route.model ?? "").utf8)
        return RouteStorage.hash(
            shape: shape, of: item.shape,
            keys: RouteKeys(
                host: 0..<host.count, value: 0..<value.count, pathEnd: path.count),
            path: unsafe path.span.bytes, host: unsafe host.span.bytes,
            head: unsafe value.span.bytes, model: unsafe model.span.bytes, isMark: isMark)
    }

    private mutating func number(ofName name: String) -> Int32 {
        if let known = names.firstIndex(of: name) { return Int32(known) }
        names.append(name)
        return Int32(names.count - 1)
    }

    private mutating func piece(_ text: String) -> RoutePiece {
        let offset = UInt32(arena.count)
        arena.append(contentsOf: text.utf8)
        return RoutePiece(offset: offset, count: UInt32(text.utf8.count))
    }

    /// `/echo/` means what `/echo` means, and `/` is the path of no segments.
    private static func withoutLastSlash(_ path: String) -> String {
        path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private static func labels(_ host: String) -> Int32 {
        host.hasPrefix("*.") ? Int32(matchedHost(host).utf8.count { $0 == 0x2e }) + 1 : 0
    }

    /// The part of a host that is compared: all of it, or what stands behind `*.`.
    private static func matchedHost(_ host: String) -> String {
        host.hasPrefix("*.") ? String(host.dropFirst(2)) : host
    }
}

/// What makes two entries the same one: a mark forgets the model.
private struct SeenKey: Hashable {
    private let shape: Int
    private let route: RoutePlan
    private let isMark: Bool

    init(_ shape: Int, _ route: RoutePlan, isMark: Bool) {
        var route = route
        route.strips = false
        if isMark { route.model = nil }
        self.shape = shape
        self.route = route
        self.isMark = isMark
    }
}
