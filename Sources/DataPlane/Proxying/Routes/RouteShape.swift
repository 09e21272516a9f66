// The set of keys that routes have in common: all routes of a shape are found by one probe.

struct RouteShape: Hashable {
    /// Labels behind the `*.` of a host; 0 is an exact host, -1 none.
    var hostLabels: Int32 = -1
    /// Place of the header's name among the table's names; -1 is none.
    var headerName: Int32 = -1
    var hasModel = false
    /// Slashes of the path; 0 is the path `/`, -1 none.
    var segments: Int32 = -1

    var hasHeader: Bool { headerName >= 0 }

    var hostRank: Int32 {
        switch hostLabels {
        case -1: -1
        case 0: .max
        default: hostLabels
        }
    }
}
