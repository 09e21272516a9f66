// The store against its model: the same random transactions to both, the same answers, the same
// errors, the same lists and the same changes, also after the store is closed and opened again.

import Fixtures
import Foundation
import State
import Testing

@Suite struct ModelTests {
    private struct Choices {
        var generator: SeededGenerator
        var serial = 0

        mutating func pick<Value>(_ values: [Value]) -> Value {
            values[Int.random(in: 0..<values.count, using: &generator)]
        }

        mutating func transaction(_ latest: UInt64) -> Transaction {
            serial += 1
            var transaction = Sample.transaction(at: Sample.after(Double(serial)))
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                transaction.edits.append(edit(latest))
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                transaction.checks = [.document(key(), condition(latest))]
            }
            return transaction
        }

        private mutating func key() -> DocumentKey {
            DocumentKey(
                pick([.deployment, .replica]), pick(["a", "b", "a/1", "a/2", "é", "B"]))
        }

        private mutating func condition(_ latest: UInt64) -> Condition {
            let recent = latest - min(latest, UInt64.random(in: 0...6, using: &generator))
            return pick([.any, .any, .absent, .present, .version(recent)])
        }

        private mutating func edit(_ latest: UInt64) -> Transaction.Edit {
            let key = key()
            let condition = condition(latest)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: return .delete(key, condition)
            case 1: return .purge(key, condition)
            default:
                serial += 1
                return .put(
                    DocumentDraft(
                        key, condition, spec: pick([nil, "1", "2", "[\(serial)]"]),
                        status: pick([nil, nil, "\"ready\"", "\"failed\""]),
                        labels: pick([nil, nil, [:], ["a": "b"], ["a": "c", "d": ""]]),
                        id: "id\(serial)"))
            }
        }
    }

    @Test(arguments: 1...4)
    func `random transactions do the same to both`(seed: UInt64) async throws {
        let scratch = ScratchFolder()
        var store = try Store(directory: scratch.url)
        let model = InMemoryStore()
        var choices = Choices(generator: SeededGenerator(seed: seed))
        for step in 0..<150 {
            let transaction = choices.transaction(try await store.sequence())
            let real = await outcome { try await store.commit(transaction) }
            let ideal = await outcome { try await model.commit(transaction) }
            #expect(real == ideal, "seed \(seed), step \(step): \(transaction)")
            if step % 50 == 49 {
                try store.close()
                store = try Store(directory: scratch.url)
            }
        }
        for kind in [DocumentKind.deployment, .replica] {
            let query = DocumentQuery(kind, pageSize: 3)
            #expect(try await store.all(query) == model.list(kind), "seed \(seed)")
        }
        var watch = try await store.watch([], since: 0)
        var changes: [DocumentChange] = []
        while case let more = try await watch.next(within: .zero), !more.isEmpty {
            changes += more
        }
        #expect(await changes == model.changes, "seed \(seed)")
    }

    private enum Outcome: Equatable {
        case done(Commit)
        case refused(StateError)
        case broken(String)
    }

    private func outcome(_ body: () async throws -> Commit) async -> Outcome {
        do {
            return .done(try await body())
        } catch let error as StateError {
            return .refused(error)
        } catch {
            return .broken("\(error)")
        }
    }
}
