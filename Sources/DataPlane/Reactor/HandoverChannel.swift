// How one process speaks to the one that takes over from it: short messages, kept apart, that may
// carry descriptors. Blocking, so only for threads of their own; a side that is gone is seen as
// the end. Also starts that other process.

internal import CLinux
internal import Glibc

package struct HandoverChannel: Sendable {
    package enum Received: Sendable {
        case message([UInt8], descriptors: [Int32])
        /// The other side has closed its end, or died.
        case ended
    }

    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    package static func pair() throws(SystemError) -> (HandoverChannel, HandoverChannel) {
        var ends: [Int32] = [-1, -1]
        let answer = unsafe penstock_handover_pair(&ends)
        if answer < 0 { throw SystemError(call: "socketpair", code: -answer) }
        return (HandoverChannel(descriptor: ends[0]), HandoverChannel(descriptor: ends[1]))
    }

    /// To the process that started this one so that it takes over; nil when none did. To be asked
    /// once, before anything else is started.
    package static func toPredecessor() -> HandoverChannel? {
        let descriptor = penstock_take_handover()
        return descriptor < 0 ? nil : HandoverChannel(descriptor: descriptor)
    }

    /// The other side gets descriptors of its own; those given stay open.
    package func send(_ message: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        let answer = unsafe penstock_send_message(
            descriptor, message, message.count, descriptors, descriptors.count)
        if answer < 0 { throw SystemError(call: "sendmsg", code: -answer) }
    }

    /// - Throws: ETIMEDOUT when no message came in time.
    package func receive(within patience: Duration) throws(SystemError) -> Received {
        var descriptors = [Int32](repeating: -1, count: PENSTOCK_DESCRIPTORS_MAX)
        var bytes = [UInt8](repeating: 0, count: ReactorLimits.handoverMessageBytes)
        var found = 0
        let milliseconds = Int32(clamping: Int64(patience / .milliseconds(1)))
        let count = unsafe penstock_receive_message(
            descriptor, &bytes, bytes.count, &descriptors, &found, milliseconds)
        if count < 0 { throw SystemError(call: "recvmsg", code: Int32(-count)) }
        if count == 0 { return .ended }
        return .message(Array(bytes.prefix(count)), descriptors: Array(descriptors.prefix(found)))
    }

    package func close() { Sockets.close(descriptor) }

    /// Starts the program as this one was started, with `end` as its channel to its predecessor.
    ///
    /// - Returns: the number of its process, a child of this one.
    package static func startSuccessor(
        _ program: String, _ end: HandoverChannel
    ) throws(SystemError) -> Int32 {
        let process = unsafe penstock_spawn_successor(program, end.descriptor)
        if process < 0 { throw SystemError(call: "posix_spawn", code: -process) }
        return process
    }

    package enum End: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
        /// Or no child of this process, or reaped already.
        case running
    }

    /// How a successor ended, which is then reaped.
    package static func end(of process: Int32, within patience: Duration) -> End {
        let milliseconds = Int32(clamping: Int64(patience / .milliseconds(1)))
        let answer = penstock_end_of_child(process, milliseconds)
        if answer < 0 { return .running }
        return answer < 256 ? .exited(answer) : .killed(signal: answer - 256)
    }
}
