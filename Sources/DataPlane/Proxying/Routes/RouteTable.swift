// Which service a request belongs to. Built from a plan on the control thread, immutable since;
// loops search it through the trivial `RouteLookup`. A tuple-space search: routes with the same
// set of keys form a shape, shapes are tried from the most specific to the least, and each costs
// one hash probe, so 1,500 routes of three shapes cost what three routes do.

package import Traffic

/// Owns a table's memory. Keep it alive as long as a `lookup` of it is in use.
package final class RouteTable: Sendable {
    package let lookup: RouteLookup

    /// Two routes equal in all keys cannot be in a valid plan; here the first one wins.
    package init(services: [ServicePlan]) {
        var builder = RouteStorageBuilder()
        for (index, service) in services.enumerated() {
            for route in service.routes { builder.add(route, service: Int32(index)) }
        }
        lookup = RouteLookup(storage: builder.finish())
    }

    deinit { lookup.storage.free() }
}

/// What a search found.
package enum RouteMatch: Equatable {
    /// `stripBytes` of the normalised path go before it is forwarded; an empty rest means `/`.
    case route(service: Int32, stripBytes: Int32)
    /// The answer hangs on the `model` field of the body: search again with it.
    case needsModel
    case none
}

extension RouteTable {
    /// How a shape ranks: exact host, `*.host` (longer first), header, model, longest path.
    /// Routes that differ only in the header's name tie; the name seen first in the plan wins.
    static func precedes(_ left: RouteShape, _ right: RouteShape) -> Bool {
        if left.hostRank != right.hostRank { return left.hostRank > right.hostRank }
        if left.hasHeader != right.hasHeader { return left.hasHeader }
        if left.hasModel != right.hasModel { return left.hasModel }
        if left.segments != right.segments { return left.segments > right.segments }
        return left.headerName < right.headerName
    }
}
