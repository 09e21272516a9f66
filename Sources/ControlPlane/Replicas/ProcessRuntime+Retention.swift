// Logs and dossiers of deployments that are gone: kept for a while, then removed. A name that comes
// back while it is looked at keeps what it has.

package import Foundation
import Guarding

extension ProcessRuntime {
    /// Removes what is too old or too much of deployments that are neither named here nor running.
    ///
    /// - Returns: the deployments whose output is gone.
    @discardableResult
    package func forgetOutput(except existing: Set<String>, at now: Date = Date()) -> [String] {
        let roots = [files.logs, files.dossiers].map { $0.path(percentEncoded: false) }
        let names = Set(roots.flatMap(Self.names))
        for name in names where name.hasPrefix(Self.goneMark) { remove(name, roots) }
        let abandoned = names.filter { !existing.contains($0) && !$0.hasPrefix(".") }
        let found = abandoned.map { name in
            roots.map { Self.extent(of: "\($0)/\(name)") }.reduce(
                into: AbandonedOutput(name: name, silentSince: .distantPast, bytes: 0)
            ) { sum, one in
                sum.silentSince = max(sum.silentSince, one.touched)
                sum.bytes += one.bytes
            }
        }
        return AbandonedOutput.excess(found, at: now).filter { name in
            guard let aside = putAside(name, roots) else { return false }
            remove(aside, roots)
            return true
        }
    }

    private static let goneMark = ".gone-"

    /// Out of the way of a deployment of that name, which could be created at any moment.
    private func putAside(_ name: String, _ roots: [String]) -> String? {
        let aside = Self.goneMark + UUID().uuidString
        return books.withLock { books in
            let replicas = Set(books.live.keys).union(books.starting).union(books.leftovers.keys)
            guard !replicas.contains(where: { $0.hasPrefix(name + "-") }) else { return nil }
            for root in roots {
                // There may be logs only, or dossiers only.
                try? FileManager.default.moveItem(
                    atPath: "\(root)/\(name)", toPath: "\(root)/\(aside)")
            }
            return aside
        }
    }

    private func remove(_ name: String, _ roots: [String]) {
        // What stays is found at the next look.
        for root in roots { try? FileManager.default.removeItem(atPath: "\(root)/\(name)") }
    }

    private static func names(in root: String) -> [String] {
        // No folder: nothing was ever written.
        (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    }

    /// What lies in a folder, and when the last of it was written.
    private static func extent(of path: String) -> (touched: Date, bytes: Int) {
        let files = FileManager.default
        // Gone meanwhile, or not there: nothing to remove.
        guard let own = try? files.attributesOfItem(atPath: path) else { return (.distantPast, 0) }
        var touched = own[.modificationDate] as? Date ?? .distantPast
        var bytes = 0
        for case let file as String in files.enumerator(atPath: path) ?? .init() {
            guard let found = try? files.attributesOfItem(atPath: "\(path)/\(file)") else {
                continue
            }
            touched = max(touched, found[.modificationDate] as? Date ?? .distantPast)
            bytes += found[.size] as? Int ?? 0
        }
        return (touched, bytes)
    }
}
