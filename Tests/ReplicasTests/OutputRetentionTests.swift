// What deleted deployments leave behind is there for a while, and does not fill the disk.

import Foundation
import Glibc
import Replicas
import Testing

@Suite struct OutputRetentionTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let day: TimeInterval = 86_400

    private func output(_ name: String, days: Double, bytes: Int = 1) -> AbandonedOutput {
        AbandonedOutput(name: name, silentSince: now - days * day, bytes: bytes)
    }

    @Test func `what has been silent for a month goes`() {
        let all = [output("old", days: 31), output("young", days: 29)]
        #expect(AbandonedOutput.excess(all, at: now) == ["old"])
    }

    @Test func `of too many the longest silent go`() {
        let all = (0..<202).map { output("d\($0)", days: Double($0) / 10) }
        #expect(AbandonedOutput.excess(all.reversed(), at: now) == ["d200", "d201"])
    }

    @Test func `of too much the longest silent go`() {
        let gibibyte = 1 << 30
        let all = [
            output("a", days: 1, bytes: gibibyte / 2), output("b", days: 2, bytes: gibibyte),
            output("c", days: 3),
        ]
        #expect(AbandonedOutput.excess(all, at: now) == ["b", "c"])
    }

    @Test func `only output of deployments that are gone is removed`() async throws {
        let scratch = Scratch()
        let runtime = try scratch.runtime()
        let run = try await runtime.start(.shell("exec tail -f /dev/null"))
        for name in ["gone", "stopped"] {
            for root in ["logs", "dossiers"] {
                let folder = "\(scratch.path)/state/\(root)/\(name)"
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
                try Data("x".utf8).write(to: URL(filePath: folder + "/file"))
            }
        }
        let later = Date() + 31 * day
        #expect(runtime.forgetOutput(except: ["gone", "stopped"], at: later).isEmpty)
        #expect(runtime.forgetOutput(except: ["stopped"], at: Date()).isEmpty)
        #expect(runtime.forgetOutput(except: ["stopped"], at: later) == ["gone"])
        #expect(Set(scratch.entries("logs")) == ["iris", "stopped"], "what runs keeps its output")
        #expect(scratch.entries("dossiers") == ["stopped"])
        await runtime.kill(run)
        _ = await run.end()
    }
}
