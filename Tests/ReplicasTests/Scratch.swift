// A folder for one test, runtimes in it that start shims of the built program, and small ways to
// wait for what a replica does: for facts and lines, never for time.

import Foundation
import Glibc
import Replicas
import Testing

final class Scratch: Sendable {
    let url = FileManager.default.temporaryDirectory
        .appending(path: "penstock-\(UUID().uuidString.prefix(8))")

    var path: String { url.path(percentEncoded: false) }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    static let shim: ShimProgram = {
        let arguments = CommandLine.arguments
        var places = [URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()]
        places += arguments.filter { $0.contains(".xctest") }.map { URL(filePath: $0) }
        let programs = places.map {
            $0.deletingLastPathComponent().appending(path: "penstock").path(percentEncoded: false)
        }
        let program = programs.first(where: FileManager.default.isExecutableFile) ?? "penstock"
        return ShimProgram(path: program, arguments: ["penstock", "shim"])
    }()

    func runtime(
        gpus: GPUInventory? = GPUInventory.none, controlGroups: ControlGroupChoice = .automatic,
        samplePeriod: Duration = .milliseconds(100), shim: ShimProgram = Scratch.shim,
        environment: [String: String] = ["PATH": "/usr/bin:/bin"]
    ) throws -> ProcessRuntime {
        try ProcessRuntime(
            state: url.appending(path: "state"),
            options: ProcessRuntimeOptions(
                environment: environment, shim: shim, gpus: gpus, samplePeriod: samplePeriod,
                controlGroups: controlGroups))
    }

    /// A replica waits at it until `go`.
    var fifo: String {
        let fifo = path + "/fifo"
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        _ = unsafe mkfifo(fifo, 0o600)
        return fifo
    }

    func go(_ words: String = "go") throws {
        try "\(words)\n".write(toFile: path + "/fifo", atomically: false, encoding: .utf8)
    }

    /// Waits until a replica writes into it.
    func wait() throws {
        _ = try FileHandle(forReadingFrom: URL(filePath: path + "/fifo")).readToEnd()
    }

    /// A file that can be run, in this test's own `bin`. Another process writes it: one that this
    /// process had open for writing could not be run while some other test starts a process.
    func program(_ name: String, _ content: String) async throws {
        let writer = ReplicaSpec.shell(
            "mkdir -p \"$BIN\"; printf '%s\\n' \"$CONTENT\" > \"$FILE\"; chmod 755 \"$FILE\"",
            name: "writer"
        ).with {
            $0.environment = [
                "BIN": path + "/bin", "FILE": path + "/bin/" + name, "CONTENT": content,
            ]
        }
        let runtime = try runtime()
        let end = await (try await runtime.start(writer)).end()
        #expect(end.exit == .code(0))
        withExtendedLifetime(runtime) {}
    }

    func entries(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(
            atPath: path + "/state/" + folder)) ?? []
    }
}

extension ReplicaSpec {
    /// A replica that a line of shell stands for.
    static func shell(_ script: String, name: String = "iris-0") -> ReplicaSpec {
        ReplicaSpec(
            name: name, deployment: "iris", model: "m", version: "v1",
            command: ["/bin/sh", "-c", script, "{address}"])
    }

    func with(_ change: (inout ReplicaSpec) -> Void) -> ReplicaSpec {
        var spec = self
        change(&spec)
        return spec
    }
}

extension ReplicaRuntime {
    /// Waits for a line that begins so, in the current run.
    @discardableResult
    func line(_ start: String, of replica: String = "iris-0") async throws -> LogLine {
        for try await line in follow(LogQuery(deployment: "iris", replica: replica)) {
            if line.text.hasPrefix(start) { return line }
        }
        Issue.record("\(replica) ended without a line '\(start)'")
        throw ReplicaError.noSuchLog(start)
    }

    func lines(of replica: String = "iris-0", run: LogQuery.Run = .current) async throws -> [String]
    {
        try await logs(LogQuery(deployment: "iris", replica: replica, run: run)).lines.map(\.text)
    }
}

/// Whether the process is there and has not ended.
func isAlive(_ process: Int32) -> Bool {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
        let stat = ProcessStat(bytes)
    else { return false }
    return !stat.isZombie
}

/// The parent of a replica's process: its shim.
func parent(of process: Int32) throws -> Int32 {
    let bytes = try #require(FileManager.default.contents(atPath: "/proc/\(process)/stat"))
    return try #require(ProcessStat(bytes)).parent
}
