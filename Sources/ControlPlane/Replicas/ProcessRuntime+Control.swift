// Talking with shims: the channel of a start, and the control socket ever after. One line asks, one
// answer comes, and never is anybody waited for without a limit.

import CLinux
import Foundation
import Glibc

extension ProcessRuntime {
    /// The next message on the channel of a start; empty when the shim is gone.
    func message(
        on channel: Int32, within patience: Duration
    ) async throws(ReplicaError) -> String {
        guard await watcher.readable(channel, within: patience) else {
            throw .startFailed(step: "hear from the shim", reason: "no word in \(patience)")
        }
        return Self.received(channel)
    }

    static func send(_ text: String, on channel: Int32) {
        var bytes = Array(text.utf8)
        // A shim that is gone tells so by the end of its channel.
        _ = unsafe bytes.withUnsafeMutableBytes {
            unsafe penstock_send(channel, $0.baseAddress, $0.count)
        }
    }

    /// What the shim of a replica answers. Only the process that the record names is believed.
    func ask(
        _ request: String, shim: ProcessIdentity, folder: String
    ) async throws(ReplicaError) -> String {
        var peer: pid_t = 0
        let descriptor = unsafe penstock_connect_in_folder(folder, "control", &peer)
        guard descriptor >= 0 else {
            throw .systemCall("connect to its control socket", Kernel.errorText(-descriptor))
        }
        defer { close(descriptor) }
        guard peer == shim.process else {
            throw .notAdoptable("its control socket is held by process \(peer)")
        }
        Self.send(request + "\n", on: descriptor)
        guard await watcher.readable(descriptor, within: Limits.controlPatience) else {
            throw .notAdoptable("its shim does not answer")
        }
        return Self.received(descriptor)
    }

    private static func received(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: ShimStatus.slotBytes)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe penstock_receive(descriptor, $0.baseAddress, $0.count)
        }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
    }
}
