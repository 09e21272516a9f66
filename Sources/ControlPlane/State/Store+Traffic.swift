// What the API has set about traffic, as documents: a transition is a transaction whose generation
// must be above the last one.

import Foundation
import GRDB

extension DocumentKind {
    package static let trafficOverride: DocumentKind = "traffic-override"
    package static let endpointDrain: DocumentKind = "endpoint-drain"
}

extension Store {
    package func trafficMemory() throws -> TrafficMemory {
        try readNow { connection in
            var memory = TrafficMemory()
            memory.overrides = try Store.specs(of: .trafficOverride, in: connection)
            memory.drains = try Store.specs(of: .endpointDrain, in: connection)
            memory.generation = try Store.generation(in: connection)
            return memory
        }
    }

    package func commit(_ transition: TrafficTransition) throws {
        var transaction = Transaction(
            at: transition.at, actor: transition.changes.first?.actor ?? "system")
        transaction.edits = try transition.edits.map { try $0.documentEdit }
        transaction.audit = transition.changes.map { change in
            AuditDraft(
                change.action, DocumentKey("service", change.target), detail: change.detail)
        }
        try Bounds.check(transaction)
        let retention = retention
        let generation = transition.generation
        let changed = try writeNow { [transaction] connection in
            let stored = try Store.generation(in: connection)
            guard generation > stored else {
                throw StateError.staleGeneration(stored: stored, offered: generation)
            }
            try Store.set("plan_generation", to: String(generation), in: connection)
            return try Store.perform(transaction, retention, in: connection).1
        }
        hub.publish(changed)
    }

    private static func specs<Value: Decodable>(
        of kind: DocumentKind, in connection: Database
    ) throws -> [Value] {
        let rows = try Row.fetchAll(
            connection,
            sql: "SELECT name, spec FROM document WHERE kind = ? AND deleted_at IS NULL "
                + "ORDER BY name", arguments: [kind.text])
        return try rows.map { row in
            try JSONText.decode(Value.self, from: row[1], of: "\(kind)/\(row[0] as String)")
        }
    }

    private static func generation(in connection: Database) throws -> UInt64 {
        let sql = "SELECT value FROM setting WHERE key = 'plan_generation'"
        return try String.fetchOne(connection, sql: sql).flatMap(UInt64.init) ?? 0
    }
}

extension TrafficEdit {
    var documentEdit: Transaction.Edit {
        get throws {
            switch self {
            case .setSplit(let override):
                .put(
                    DocumentDraft(
                        DocumentKey(.trafficOverride, override.service), .any,
                        spec: try JSONText.encode(override)))
            case .clearSplit(let service):
                .purge(DocumentKey(.trafficOverride, service), .any)
            case .setDrain(let drain):
                .put(
                    DocumentDraft(
                        Self.key(drain.service, drain.address), .any,
                        spec: try JSONText.encode(drain)))
            case .clearDrain(let service, let address):
                .purge(Self.key(service, address), .any)
            }
        }
    }

    private static func key(_ service: String, _ address: String) -> DocumentKey {
        DocumentKey(.endpointDrain, "\(service)/\(address)")
    }
}
