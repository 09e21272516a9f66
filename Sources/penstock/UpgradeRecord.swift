// What came of the last upgrade in place, kept as `upgrade.json` in the state directory for whoever
// has asked for it and waits. Written by the process that is, or was to be, succeeded.

import Foundation

struct UpgradeRecord: Codable, Sendable, Equatable {
    enum State: String, Codable {
        case underWay = "under_way"
        case complete
        case failed
    }

    struct Party: Codable, Sendable, Equatable {
        var process: Int32
        var version: String
    }

    var state: State
    /// When it began, so that no two are alike.
    var startedAt: Date
    var from: Party
    var to: Party?
    var cause: String?

    private enum CodingKeys: String, CodingKey {
        case state, from, to, cause
        case startedAt = "started_at"
    }

    mutating func succeed(by successor: Party) { (state, to) = (.complete, successor) }

    mutating func fail(because cause: String) { (state, self.cause) = (.failed, cause) }

    private static func file(in directory: URL) -> URL { directory.appending(path: "upgrade.json") }

    /// Nil when there is none, or none that can be read: whoever waits then waits for the next.
    static func read(in directory: URL) -> UpgradeRecord? {
        (try? Data(contentsOf: file(in: directory))).flatMap { data in
            try? decoder.decode(UpgradeRecord.self, from: data)
        }
    }

    /// An upgrade that ended with its process is not under way, whoever has that number now.
    static func settle(in directory: URL) {
        guard var record = read(in: directory), record.state == .underWay else { return }
        record.fail(because: "process \(record.from.process) ended meanwhile")
        // A full disk must not keep this process from starting.
        try? record.write(in: directory)
    }

    func write(in directory: URL) throws {
        try Data((text + "\n").utf8).write(to: Self.file(in: directory), options: .atomic)
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.dateEncodingStrategy = .secondsSince1970
        // Numbers and texts can always be written.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }
}
