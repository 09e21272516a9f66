// Threads of the data plane, and what they take over from the process rather than from their maker.

import Glibc
import Reactor
import Synchronization
import Testing

@Suite struct LoopThreadTests {
    @Test func `a thread runs to its end before it is joined`() {
        let flag = Flag()
        LoopThread.start(name: "short") { flag.value.store(1, ordering: .relaxed) }.join()
        #expect(flag.value.load(ordering: .relaxed) == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may lower a nice value again"))
    func `a thread has the priority of the process, whoever starts it`() {
        let flag = Flag()
        let maker = LoopThread.start(name: "maker") {
            setpriority(processes, 0, 7)
            LoopThread.start(name: "loop") {
                flag.value.store(Int(getpriority(processes, 0)), ordering: .relaxed)
            }.join()
        }
        maker.join()
        let process = Int(getpriority(processes, id_t(getpid())))
        #expect(flag.value.load(ordering: .relaxed) == process)
    }
}

private let processes = Int32(PRIO_PROCESS.rawValue)

private final class Flag: Sendable {
    let value = Atomic<Int>(-100)
}
