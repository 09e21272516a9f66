// Where a replica is in its life. Being ejected is no phase but an observation beside `ready`: the
// data plane takes such a replica back by itself.

package enum ReplicaPhase: String, Sendable, CaseIterable, Codable {
    /// It has its place and its resources; it waits for its start or for a back-off to end.
    case reserved
    /// Its process is being started.
    case spawning
    /// The process runs; the model does not answer yet.
    case loading
    /// It answers; it is proved through the data path, with no client's request.
    case warming
    /// In the rotation.
    case ready
    /// It ended or never got ready; whatever is left of its process is ended, then it starts anew.
    case failed
    /// Takes no new requests; those under way end.
    case draining
    /// Told to end.
    case stopping
    /// Gone for good.
    case exited

    /// Nothing leads back from here.
    package var isLeaving: Bool { self == .draining || self == .stopping || self == .exited }

    /// A process may exist.
    package var mayHaveProcess: Bool { self != .reserved && self != .exited }
}
