// System calls as the rest of the runtime likes them: paths in, values out. All that is `unsafe`
// about reading the kernel's own files is here.

import CLinux
import Foundation
import Glibc

enum Kernel {
    static let boot: String = {
        let bytes = contents("/proc/sys/kernel/random/boot_id", bytesMax: 64) ?? []
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }()

    static let user = Int(geteuid())
    static let ticksPerSecond = max(1, sysconf(Int32(_SC_CLK_TCK)))
    static let pageBytes = max(1, sysconf(Int32(_SC_PAGESIZE)))

    /// A small file as it is now; nil when it cannot be read.
    static func contents(_ path: String, bytesMax: Int = 16 * 1024) -> [UInt8]? {
        var count = -1
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, filled in
            count = unsafe penstock_read_file(path, buffer.baseAddress, bytesMax)
            filled = max(0, count)
        }
        return count < 0 ? nil : bytes
    }

    static func text(_ path: String) -> String? {
        contents(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// 0, or an errno.
    static func write(_ text: String, to path: String) -> Int32 {
        -(unsafe penstock_write_file(path, text))
    }

    static func isDelegated(_ directory: String) -> Bool {
        unsafe penstock_is_delegated(directory) == 1
    }

    /// Only an empty one; a control group counts as empty once it has no process.
    static func removeDirectory(_ path: String) -> Bool {
        unsafe rmdir(path) == 0 || errno == ENOENT
    }

    static func makeDirectory(_ path: String) -> Int32 {
        unsafe mkdir(path, 0o755) == 0 || errno == EEXIST ? 0 : errno
    }

    static func errorText(_ code: Int32) -> String {
        unsafe String(cString: penstock_error_text(code))
    }

    /// What a tool prints, if it ends well and in time. Blocks for so long.
    static func output(of program: String, _ arguments: [String], bytesMax: Int) -> String? {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map {
            unsafe strdup($0)
        }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        var bytes = [CChar](repeating: 0, count: bytesMax)
        let count = unsafe penstock_tool_output(
            program, pointers, &bytes, bytesMax, Limits.toolMilliseconds)
        guard count >= 0 else { return nil }
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func process(_ process: Int32) -> ProcessStat? {
        contents("/proc/\(process)/stat", bytesMax: 1024).flatMap { ProcessStat($0) }
    }

    static func isAlive(_ identity: ProcessIdentity) -> Bool {
        guard identity.boot == boot, let stat = process(identity.process) else { return false }
        return stat.startTicks == identity.startTicks && !stat.isZombie
    }

    static func processes() -> ProcessTable {
        let capacity = 131_072
        let numbers = unsafe [pid_t](unsafeUninitializedCapacity: capacity) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            filled = max(0, unsafe penstock_list_processes(start, capacity))
        }
        return ProcessTable(numbers.compactMap(process))
    }
}
