// Dossiers on disk: a file a failed run, the oldest of a deployment removed when there are too
// many.

import Foundation

package struct DossierFolder: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Best effort: a full disk must not keep a replica from being started again.
    package func add(_ dossier: CrashDossier) {
        let files = FileManager.default
        try? files.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        let stamp = Int(dossier.endedAt.timeIntervalSince1970 * 1000)
        // Names sort by time.
        let digits = String(stamp)
        let padded = String(repeating: "0", count: max(0, 15 - digits.count)) + digits
        let file = URL(filePath: "\(path)/\(padded)-\(dossier.replica)-\(dossier.run).json")
        try? encoder.encode(dossier).write(to: file, options: .atomic)
        for name in names().dropLast(Limits.dossiersPerDeployment) {
            try? files.removeItem(atPath: "\(path)/\(name)")
        }
    }

    /// Newest first.
    package func all() -> [CrashDossier] {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return names().reversed().compactMap { name in
            // Torn or of another version: the others are still worth reading.
            FileManager.default.contents(atPath: "\(path)/\(name)").flatMap {
                try? decoder.decode(CrashDossier.self, from: $0)
            }
        }
    }

    /// Oldest first.
    private func names() -> [String] {
        // No folder: nothing has ever failed.
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasSuffix(".json") }.sorted()
    }
}
