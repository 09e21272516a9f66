// Small values by name, and the keys of the directory.

import Foundation
import GRDB

extension Store {
    /// Sixteen bytes that sign sticky cookies, so that they stay good over restarts.
    package func stickyKey() throws -> [UInt8] { try SecretFile.stickyKey(in: directory) }

    /// A value by name; nil when never set.
    package func setting(_ key: String) throws -> String? {
        try readNow { connection in
            try String.fetchOne(
                connection, sql: "SELECT value FROM setting WHERE key = ?", arguments: [key])
        }
    }

    package func setSetting(_ key: String, to value: String) throws {
        try Bounds.text(key, "setting", 1...StateLimits.nameBytes)
        try Bounds.bytes(value.utf8.count, "setting '\(key)'", StateLimits.settingBytes)
        try writeNow { try Store.set(key, to: value, in: $0) }
    }

    static func set(_ key: String, to value: String, in connection: Database) throws {
        try connection.execute(
            sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)", arguments: [key, value])
    }
}
