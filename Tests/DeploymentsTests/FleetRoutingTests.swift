// From rows to what the plan says: who is in it, how, and with which share.

import Deployments
import Foundation
import Testing
import Traffic

@Suite struct FleetRoutingTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private static func row(
        _ number: Int, _ phase: ReplicaPhase, revision: Int = 1
    ) -> ReplicaRow {
        var row = ReplicaRow(
            id: "iris-\(number)", deployment: "iris", revision: revision, epoch: 0, at: now)
        row.phase = phase
        row.address = "unix:/run/iris-\(number).sock"
        return row
    }

    @Test func `only proven replicas are in the rotation`() {
        let rows = ReplicaPhase.allCases.enumerated().map { Self.row($0, $1) }
        let routing = FleetRouting(rows, sightings: [:], revision: 1)
        let endpoints = routing.revisions.flatMap(\.endpoints)
        let places = Dictionary(
            uniqueKeysWithValues: zip(ReplicaPhase.allCases, 0...)
        ).mapValues { "unix:/run/iris-\($0).sock" }
        #expect(
            endpoints.filter { !$0.isDrained }.map(\.address.description) == [places[.ready]])
        #expect(
            endpoints.filter(\.isDrained).map(\.address.description) == [places[.draining]])
        #expect(routing.candidates.map(\.address.description) == [places[.warming]])
        #expect(Set(routing.roles.values) == [.proving, .serving, .drained])
    }

    @Test func `a revision without any ready replica is there to refuse`() {
        let routing = FleetRouting([], sightings: [:], revision: 3)
        #expect(routing.revisions == [RevisionPlan(name: "r3", weight: 1000, endpoints: [])])
    }

    @Test(arguments: [
        ([1, 1], [500, 500]), ([1, 2], [333, 667]), ([2, 1], [667, 333]), ([3, 4], [429, 571]),
        ([1, 6], [143, 857]),
    ])
    func `shares follow the number of ready replicas and sum to the whole`(
        _ counts: [Int], _ weights: [Int]
    ) {
        var rows: [ReplicaRow] = []
        for (revision, count) in counts.enumerated() {
            for _ in 0..<count {
                rows.append(Self.row(rows.count, .ready, revision: revision + 1))
            }
        }
        let routing = FleetRouting(rows, sightings: [:], revision: 2)
        #expect(routing.revisions.map(\.weight) == weights)
        #expect(weights.reduce(0, +) == 1000)
    }

    @Test func `a revision whose replicas are all down gets nothing while another answers`() {
        let rows = [Self.row(0, .ready), Self.row(1, .ready, revision: 2)]
        var sighting = ReplicaSighting()
        sighting.unreachableSince = Self.now
        let one = FleetRouting(rows, sightings: ["iris-0": sighting], revision: 2)
        #expect(one.revisions.map(\.weight) == [0, 1000])
        let none = FleetRouting(
            rows, sightings: ["iris-0": sighting, "iris-1": sighting], revision: 2)
        #expect(none.revisions.map(\.weight) == [500, 500])
    }

    @Test func `a draining replica's revision stays in the plan without a share`() {
        let rows = [Self.row(0, .draining), Self.row(1, .ready, revision: 2)]
        let routing = FleetRouting(rows, sightings: [:], revision: 2)
        #expect(routing.revisions.map(\.name) == ["r1", "r2"])
        #expect(routing.revisions.map(\.weight) == [0, 1000])
    }
}
