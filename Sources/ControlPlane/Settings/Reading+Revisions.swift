// `revisions:` of a service: who answers, and with which share of the requests.

import Notation
import Traffic
import Yams

extension Reading {
    func revisions(_ section: Section) -> [RevisionPlan] {
        let hint = "such as revisions: [{ name: stable, endpoints: [127.0.0.1:9001] }]"
        guard let value = section.required("revisions", hint),
            let list = value.list("revisions", count: 1...Limits.revisions)
        else { return [] }
        let isSole = list.count == 1
        let revisions = list.map { element in
            element.section { revision($0, isSole: isSole) }
        }
        refuseTwins(list.compactMap { $0.child("name") }, of: "revisions")
        let sum = revisions.reduce(0) { $0 + ($1?.weight ?? 0) }
        if revisions.allSatisfy({ $0 != nil }), sum != 1000 {
            value.refuse("weights sum to \(Reading.percent(sum)); they must sum to 100")
        }
        return revisions.compactMap { $0 }
    }

    private func revision(_ section: Section, isSole: Bool) -> RevisionPlan? {
        let name = section.required("name", "revisions are told apart by it")?.name()
        let weight =
            isSole && !section.has("weight")
            ? 1000
            : section.required("weight", "one of several needs a share in percent")?.weight()
        _ = section["weight"]
        let value = section.required("endpoints", "such as endpoints: [127.0.0.1:9001]")
        let list = value?.list("endpoints", count: 1...Limits.endpoints)
        let endpoints = list?.compactMap(endpoint) ?? []
        var seen = Set<NetworkAddress>()
        for (endpoint, place) in zip(endpoints, list ?? [])
        where endpoints.count == list?.count && !seen.insert(endpoint.address).inserted {
            place.refuse("\(endpoint.address) stands twice in this revision")
        }
        let tls = upstreamTLS(section, towards: endpoints)
        let wire = wire(section)
        guard let name, let weight else { return nil }
        var revision = RevisionPlan(name: name, weight: weight, endpoints: endpoints)
        revision.tls = tls
        revision.wire = wire
        return revision
    }

    /// `127.0.0.1:9001`, or a map with more to say.
    private func endpoint(_ value: Value) -> EndpointPlan? {
        guard case .mapping = value.node else {
            return value.reachableAddress().map { EndpointPlan(address: $0) }
        }
        return value.section { section in
            let place = section.required("address", "such as 127.0.0.1:9001")
            var (weight, concurrency) = (1, Int?.none)
            section.assign("weight", &weight) { $0.whole(1...1000) }
            section.assign("concurrency", &concurrency) { $0.whole(1...100_000) }
            return place?.reachableAddress().map {
                EndpointPlan(address: $0, weight: weight, concurrency: concurrency)
            }
        }
    }

    static func percent(_ thousandths: Int) -> String {
        thousandths % 10 == 0 ? "\(thousandths / 10)" : "\(thousandths / 10).\(thousandths % 10)"
    }
}

extension Value {
    /// An address to connect to: port 0 is none.
    fileprivate func reachableAddress() -> NetworkAddress? {
        guard let address = address() else { return nil }
        if case .tcp(_, 0) = address {
            refuse("port 0 cannot be connected to; allowed: 1 to 65535")
            return nil
        }
        return address
    }
}
