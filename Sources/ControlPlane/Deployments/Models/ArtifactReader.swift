// Digests of artifacts, asked for by many at once: replicas of one revision start together, and
// reading a model of many gigabytes for each of them would keep the disk from loading it. Those who
// ask while a reading goes on share it; those who come later have it read anew.

import Foundation

actor ArtifactReader {
    private var readings: [String: Task<ArtifactDigest, any Error>] = [:]

    func digest(of path: String) async throws -> ArtifactDigest {
        if let reading = readings[path] { return try await reading.value }
        let reading = Task { try await Self.read(path) }
        readings[path] = reading
        defer { readings[path] = nil }
        return try await reading.value
    }

    /// On a thread of its own: reading waits for the disk, and others must not wait with it.
    private static func read(_ path: String) async throws -> ArtifactDigest {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(with: Result { try ArtifactDigest.read(path) })
            }
        }
    }
}
