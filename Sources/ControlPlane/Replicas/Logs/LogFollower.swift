// Lines of a run as they come, across rotation. It looks five times a second: a follower is a
// person, and there are few.

import Foundation

struct LogFollower: Sendable {
    let folder: LogFolder
    let query: LogQuery
    /// Whether the run may still write.
    let isLive: @Sendable (_ run: Int) -> Bool

    func lines() -> AsyncThrowingStream<LogLine, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingOldest(Limits.logPageLines)) { stream in
            let task = Task {
                do {
                    try await follow { stream.yield($0) }
                    stream.finish()
                } catch {
                    stream.finish(throwing: error)
                }
            }
            stream.onTermination = { _ in task.cancel() }
        }
    }

    typealias Yield = (LogLine) -> AsyncThrowingStream<LogLine, any Error>.Continuation.YieldResult

    private func follow(_ yield: Yield) async throws {
        var query = query
        while !Task.isCancelled {
            // Asked before reading: what is written before the end is then read after it.
            let wasLive = folder.number(of: query.run).map(isLive) ?? false
            let page = try folder.page(query)
            query.run = .number(page.run)
            query.from = .offset(page.next)
            for (index, line) in page.lines.enumerated() {
                // A consumer that is far behind gets what it missed once it has room again.
                guard case .dropped = yield(line) else { continue }
                query.from = .offset(page.lines[index].offset)
                break
            }
            if page.isComplete, !wasLive { return }
            if page.lines.isEmpty || !page.isComplete {
                // Cancelled: the loop's condition ends it.
                try? await Task.sleep(for: Limits.followPeriod)
            }
        }
    }
}
