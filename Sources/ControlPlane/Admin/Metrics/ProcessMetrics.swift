// The process as Prometheus clients everywhere report it, from /proc. What cannot be read is left
// out rather than told as zero.

import Foundation
import Glibc

struct ProcessMetrics {
    private(set) var startSeconds: Double?
    private(set) var processorSeconds: Double?
    private(set) var virtualBytes: Double?
    private(set) var residentBytes: Double?
    private(set) var openDescriptors: Int?
    private(set) var descriptorsMax: Double?

    static func current() -> ProcessMetrics {
        var metrics = ProcessMetrics()
        metrics.readStatus(text(of: "/proc/self/stat"), bootSeconds: bootSeconds)
        // Unreadable is left out.
        metrics.openDescriptors = try? FileManager.default.contentsOfDirectory(
            atPath: "/proc/self/fd"
        ).count
        let limit = text(of: "/proc/self/limits").split(separator: "\n")
            .first { $0.hasPrefix("Max open files") }
        metrics.descriptorsMax = limit?.split(separator: " ").dropFirst(3).first
            .flatMap { Double($0) }
        return metrics
    }

    func write(to out: inout PrometheusText) {
        func gauge(_ name: String, _ help: String, _ value: Double?) {
            guard let value else { return }
            out.begin(name, .gauge, help)
            out.sample(value)
        }
        gauge("process_start_time_seconds", "Start of the process since the epoch.", startSeconds)
        if let processorSeconds {
            out.begin("process_cpu_seconds_total", .counter, "Processor time, user and system.")
            out.sample(processorSeconds)
        }
        gauge("process_virtual_memory_bytes", "Virtual memory size.", virtualBytes)
        gauge("process_resident_memory_bytes", "Resident memory size.", residentBytes)
        gauge("process_open_fds", "Open descriptors.", openDescriptors.map(Double.init))
        gauge("process_max_fds", "Limit of open descriptors.", descriptorsMax)
    }

    /// Fields of proc(5), counted after the name, which may itself hold spaces and brackets.
    private mutating func readStatus(_ status: String, bootSeconds: Double?) {
        guard let nameEnd = status.lastIndex(of: ")") else { return }
        let fields = status[nameEnd...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        guard fields.count > 21, ticks > 0 else { return }
        processorSeconds = (fields[11] + fields[12]) / ticks
        startSeconds = bootSeconds.map { $0 + fields[19] / ticks }
        virtualBytes = fields[20]
        residentBytes = fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var bootSeconds: Double? {
        text(of: "/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) }
    }

    private static func text(of path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
