// A request for the route tests: its keys as bytes and fields, as a parser would leave them.

import HTTPWire
import Proxying
import Traffic

struct RouteRequest {
    var path = "/"
    var host = "any.test"
    var headers: [String] = []
    var mayCarryModel = false

    /// The first search, and the second with `model` if the first one asks for it.
    func matches(_ table: RouteTable, model: String? = nil) -> RouteMatch {
        var head: [UInt8] = []
        var fields = FieldTable(capacity: 32)
        for line in headers { _ = fields.append(RouteRequest.field(line, in: &head)) }
        let bytes = unsafe head.span.bytes
        let path = Array(path.utf8)
        let host = Array(host.utf8)
        let first = table.lookup.match(
            path: unsafe path.span.bytes, host: unsafe host.span.bytes, head: bytes,
            fields: fields, mayCarryModel: mayCarryModel)
        guard first == .needsModel, let model else { return first }
        let name = Array(model.utf8)
        return table.lookup.match(
            path: unsafe path.span.bytes, host: unsafe host.span.bytes, head: bytes,
            fields: fields, model: unsafe name.span.bytes)
    }

    /// Appends `Name: value` and says where it stands.
    private static func field(_ line: String, in head: inout [UInt8]) -> Field {
        let start = head.count
        let name = line.utf8.prefix { $0 != 0x3a }.count
        head += Array((line + "\r\n").utf8)
        return Field(
            name: Slice(from: start, to: start + name),
            value: Slice(from: start + name + 2, to: head.count - 2),
            line: Slice(from: start, to: head.count))
    }
}

extension RouteTable {
    /// One service per route, numbered in order.
    convenience init(_ routes: RoutePlan...) {
        self.init(
            services: routes.enumerated().map { ServicePlan(name: "\($0)", routes: [$1]) })
    }
}

extension RouteMatch {
    /// A match without a strip.
    static func service(_ number: Int32) -> RouteMatch {
        .route(service: number, stripBytes: 0)
    }
}
