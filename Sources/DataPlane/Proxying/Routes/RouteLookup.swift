// The search itself, run by every loop for every request: no allocation, no reference counting.
// Shapes are tried from the most specific one; the first that has an entry for the request's keys
// wins. A model stands in the path (`/v2/models/{model}`) or in the body of an OpenAI-style POST;
// the body is asked for only once no route that outranks the model's can match.

package import HTTPWire

/// A trivial handle on a `RouteTable`'s memory, valid as long as the table lives.
@safe package struct RouteLookup: Sendable {
    let storage: RouteStorage

    /// - Parameters:
    ///   - path: normalised, without the query; empty means `/`.
    ///   - host: as sent; a port and a closing dot do not count.
    ///   - head: what `fields` points into.
    ///   - mayCarryModel: the request is a POST with a JSON body, not read yet.
    package func match(
        path: RawSpan, host: RawSpan, head: RawSpan, fields: borrowing FieldTable,
        mayCarryModel: Bool
    ) -> RouteMatch {
        search(
            path: path, host: host, head: head, fields: fields,
            body: mayCarryModel ? .unread : .absent, model: head.extracting(0..<0))
    }

    /// The second search, after `.needsModel`. An empty `model` says that the body names none.
    package func match(
        path: RawSpan, host: RawSpan, head: RawSpan, fields: borrowing FieldTable, model: RawSpan
    ) -> RouteMatch {
        search(
            path: path, host: host, head: head, fields: fields,
            body: model.byteCount == 0 ? .absent : .read, model: model)
    }

    private enum BodyModel { case absent, unread, read }

    @inline(__always)
    private func search(
        path: RawSpan, host: RawSpan, head: RawSpan, fields: borrowing FieldTable,
        body: BodyModel, model: RawSpan
    ) -> RouteMatch {
        let name = RouteLookup.name(of: host)
        for index in 0..<storage.shapeCount {
            let shape = storage.shape(index)
            guard
                let keys = keys(
                    of: shape, path: path, host: host, name: name, head: head, fields: fields)
            else { continue }
            if !shape.hasModel {
                if let entry = storage.find(
                    shape: index, keys: keys, path: path, host: host, head: head,
                    model: model, isMark: false)
                {
                    return .route(service: entry.service, stripBytes: entry.stripBytes)
                }
                continue
            }
            let found = searchModel(
                shape: index, keys: keys, path: path, host: host, head: head, body: body,
                model: model)
            if found != .none { return found }
        }
        return .none
    }

    /// A shape with a model: the path's wins over the body's.
    @inline(__always)
    private func searchModel(
        shape: Int, keys: RouteKeys, path: RawSpan, host: RawSpan, head: RawSpan,
        body: BodyModel, model: RawSpan
    ) -> RouteMatch {
        let place = RouteLookup.model(in: path, behind: keys.pathEnd)
        if !place.isEmpty {
            let entry = find(
                shape: shape, keys: keys, path: path, host: host, head: head, model: place)
            guard let entry else { return .none }
            return .route(service: entry.service, stripBytes: entry.stripBytes)
        }
        guard body != .absent, RouteLookup.namesModelInBody(path, behind: keys.pathEnd)
        else { return .none }
        guard
            let entry = storage.find(
                shape: shape, keys: keys, path: path, host: host, head: head, model: model,
                isMark: body == .unread)
        else { return .none }
        if body == .unread { return .needsModel }
        return .route(service: entry.service, stripBytes: entry.stripBytes)
    }

    /// Models with a slash or a space in their name come percent-encoded.
    @inline(__always)
    private func find(
        shape: Int, keys: RouteKeys, path: RawSpan, host: RawSpan, head: RawSpan,
        model place: Range<Int>
    ) -> RouteEntry? {
        for offset in place where path.byte(offset) == 0x25 {
            return findDecoded(
                shape: shape, keys: keys, path: path, host: host, head: head, model: place)
        }
        return storage.find(
            shape: shape, keys: keys, path: path, host: host, head: head,
            model: path.extracting(place), isMark: false)
    }

    @inline(never)
    private func findDecoded(
        shape: Int, keys: RouteKeys, path: RawSpan, host: RawSpan, head: RawSpan,
        model place: Range<Int>
    ) -> RouteEntry? {
        var decoded = InlineArray<256, UInt8>(repeating: 0)
        var count = 0
        var offset = place.lowerBound
        while offset < place.upperBound {
            guard count < decoded.count else { return nil }
            let escape = PercentEscape(path, at: offset, end: place.upperBound)
            decoded[count] = escape?.byte ?? path.byte(offset)
            count += 1
            offset += escape == nil ? 1 : 3
        }
        return storage.find(
            shape: shape, keys: keys, path: path, host: host, head: head,
            model: unsafe decoded.span.bytes.extracting(0..<count), isMark: false)
    }
}

// Where the keys of a request are

extension RouteLookup {
    /// Nil when the request lacks one of the shape's keys.
    @inline(__always)
    private func keys(
        of shape: RouteShape, path: RawSpan, host: RawSpan, name: Range<Int>, head: RawSpan,
        fields: borrowing FieldTable
    ) -> RouteKeys? {
        var keys = RouteKeys()
        if shape.segments >= 0 {
            let end = RouteLookup.prefixEnd(of: path, segments: Int(shape.segments))
            guard end >= 0 else { return nil }
            keys.pathEnd = end
        }
        if shape.hostLabels == 0 {
            keys.host = name
        } else if shape.hostLabels > 0 {
            let start = RouteLookup.suffix(of: host, name, labels: Int(shape.hostLabels))
            guard start >= 0 else { return nil }
            keys.host = start..<name.upperBound
        }
        if shape.hasHeader {
            let value = value(ofName: shape.headerName, head: head, fields: fields)
            guard !value.isEmpty else { return nil }
            keys.value = value
        }
        return keys
    }

    /// The first field of that name decides; aliases spelled with `_` are other names.
    @inline(__always)
    private func value(
        ofName name: Int32, head: RawSpan, fields: borrowing FieldTable
    ) -> Range<Int> {
        for index in 0..<fields.count {
            let field = fields[index]
            if storage.isName(
                name, head, from: Int(field.name.offset), count: Int(field.name.count))
            {
                let start = Int(field.value.offset)
                return start..<(start &+ Int(field.value.count))
            }
        }
        return 0..<0
    }

    /// A host without its port and without the dot that roots it.
    @inline(__always)
    private static func name(of host: RawSpan) -> Range<Int> {
        var end = host.byteCount
        while end > 0, host.byte(end &- 1) &- 0x30 < 10 { end = end &- 1 }
        if end > 0, host.byte(end &- 1) == 0x3a {
            end = end &- 1
        } else {
            end = host.byteCount
        }
        if end > 1, host.byte(end &- 1) == 0x2e { end = end &- 1 }
        return 0..<end
    }

    /// Start of the last labels of a name; -1 when nothing stands before them.
    @inline(__always)
    private static func suffix(of host: RawSpan, _ name: Range<Int>, labels: Int) -> Int {
        var left = labels
        var place = name.upperBound &- 1
        while place > name.lowerBound {
            if host.byte(place) == 0x2e {
                left = left &- 1
                if left == 0 { return place &+ 1 }
            }
            place = place &- 1
        }
        return -1
    }

    /// End of the path's first segments; -1 when it has fewer.
    @inline(__always)
    private static func prefixEnd(of path: RawSpan, segments: Int) -> Int {
        guard path.byteCount > 0 else { return segments == 0 ? 0 : -1 }
        guard path.byte(0) == 0x2f else { return -1 }
        var left = segments
        for offset in 0..<path.byteCount where path.byte(offset) == 0x2f {
            if left == 0 { return offset }
            left = left &- 1
        }
        return left == 0 ? path.byteCount : -1
    }

    /// The model of an Open Inference Protocol path, also behind a route's own prefix.
    @inline(__always)
    private static func model(in path: RawSpan, behind prefix: Int) -> Range<Int> {
        let start: Int
        if RouteStorage.has("/v2/models/", in: path, at: 0) {
            start = 11
        } else if prefix > 0, RouteStorage.has("/v2/models/", in: path, at: prefix) {
            start = prefix &+ 11
        } else {
            return 0..<0
        }
        var end = start
        while end < path.byteCount, path.byte(end) != 0x2f { end = end &+ 1 }
        return start..<end
    }

    /// `/v1/chat/completions`, `/v1/embeddings` and whatever else lies below `/v1/`.
    @inline(__always)
    private static func namesModelInBody(_ path: RawSpan, behind prefix: Int) -> Bool {
        RouteStorage.has("/v1/", in: path, at: 0)
            || (prefix > 0 && RouteStorage.has("/v1/", in: path, at: prefix))
    }
}
