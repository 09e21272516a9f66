// Which output of deployments that are gone is kept: it is there to be read after a deletion, and
// must not fill the disk with names that never come back. Pure; who removes it hands in what is
// there.

package import Foundation

package struct AbandonedOutput: Sendable, Equatable {
    /// The deployment's.
    package var name: String
    package var silentSince: Date
    package var bytes: Int

    package init(name: String, silentSince: Date, bytes: Int) {
        self.name = name
        self.silentSince = silentSince
        self.bytes = bytes
    }

    /// What has to go: all that is too old, then the longest silent of what is too much.
    package static func excess(_ all: [AbandonedOutput], at now: Date) -> [String] {
        var (count, bytes) = (0, 0)
        return all.sorted { ($1.silentSince, $0.name) < ($0.silentSince, $1.name) }.filter { one in
            if now.timeIntervalSince(one.silentSince) > Limits.abandonedSeconds { return true }
            count += 1
            bytes += one.bytes
            return count > Limits.abandonedNames || bytes > Limits.abandonedBytes
        }.map(\.name)
    }
}
