// An eventfd that wakes one thread which has nothing else to poll: the access log's writer, the
// name resolver. Ringing is cheap, may be done from any thread, and is never lost.

internal import CLinux
internal import Glibc

package final class Doorbell: Sendable {
    package let descriptor: Int32

    package init() throws(SystemError) {
        descriptor = penstock_eventfd()
        if descriptor < 0 { throw SystemError(call: "eventfd", code: errno) }
    }

    deinit {
        if descriptor >= 0 { Sockets.close(descriptor) }
    }

    package func ring() {
        penstock_eventfd_ring(descriptor)
    }

    /// Sleeps until somebody rings or `milliseconds` have passed (-1: for ever). All rings so far
    /// are taken together.
    package func wait(milliseconds: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if unsafe poll(&entry, 1, milliseconds) > 0 { penstock_eventfd_silence(descriptor) }
    }
}
