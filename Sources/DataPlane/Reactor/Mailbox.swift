// How another thread speaks to a loop: it posts a message and, if nobody has yet, rings an eventfd
// that the loop polls. The loop takes all messages at once, between two batches of events, in the
// order they were posted. Senders are the control plane and the other loops, never a peer's bytes.

internal import CLinux
internal import Glibc
internal import Synchronization

package final class Mailbox<Message: Sendable>: Sendable {
    /// Readable while there is mail: the loop adds it level-triggered. Owned by the mailbox.
    package let doorbell: Int32
    private let isRung = Atomic<Bool>(false)
    private let messages = Lock<[Message]>([])

    package init() throws(SystemError) {
        doorbell = penstock_eventfd()
        if doorbell < 0 { throw SystemError(call: "eventfd", code: errno) }
    }

    deinit {
        if doorbell >= 0 { Glibc.close(doorbell) }
    }

    package func post(_ message: Message) {
        messages.withLock { $0.append(message) }
        // Many posts before the loop wakes cost one system call.
        if !isRung.exchange(true, ordering: .acquiringAndReleasing) {
            penstock_eventfd_ring(doorbell)
        }
    }

    /// Hands over everything posted so far. A message posted meanwhile rings again.
    package func drain(_ body: (Message) -> Void) {
        penstock_eventfd_silence(doorbell)
        // Before taking the list: whoever posts after this line rings, so no message waits unheard.
        isRung.store(false, ordering: .sequentiallyConsistent)
        let taken = messages.withLock { list in
            let all = list
            list = []
            return all
        }
        for message in taken { body(message) }
    }
}
