// A start, step by step: names, GPUs and ports are taken, the folder and its record written,
// control groups made, the shim spawned, and only when its status can be found is it told to go.
// Whatever fails, and whenever Penstock dies, nothing runs that is not recorded.

import CLinux
import Foundation
import Glibc
import Guarding

extension ProcessRuntime {
    package func start(_ spec: ReplicaSpec) async throws(ReplicaError) -> ReplicaRun {
        try check(spec)
        let program = try search.program(spec.command.first ?? "")
        let places = try take(spec)
        var made: [String] = []
        do throws(ReplicaError) {
            let stored = try prepare(spec, places)
            made = stored.groups
            let live = try await launch(spec, program, places, stored)
            look(after: live)
            return live.run
        } catch {
            groups.remove(made)
            forgetFiles(of: spec.name)
            give(back: spec.name)
            throw error
        }
    }

    /// Takes the name and what only one replica may have.
    private func take(_ spec: ReplicaSpec) throws(ReplicaError) -> RunPlaces {
        try books.withLock { books throws(ReplicaError) in
            let name = spec.name
            let isLeft = books.leftovers[name]?.leftover.isAlive ?? false
            guard books.live[name] == nil, !books.starting.contains(name), !isLeft else {
                throw .alreadyRunning(name)
            }
            books.leftovers[name] = nil
            let gpus = try books.gpus.assign(
                count: spec.resources.gpuCount, type: spec.resources.gpuType, to: name)
            var address = ReplicaAddress.unix(path: files.socket(name))
            if spec.wantsPort {
                do throws(ReplicaError) {
                    let port = try books.ports.take(for: name) {
                        penstock_is_port_free(Int32($0)) == 1
                    }
                    address = .tcp(host: "127.0.0.1", port: port)
                } catch {
                    books.gpus.release(name)
                    throw error
                }
            }
            books.starting.insert(name)
            return RunPlaces(
                address: address, gpus: gpus.map(\.id),
                assignsGPUs: books.gpus.inventory.source != .none)
        }
    }

    func give(back replica: String) {
        books.withLock { books in
            books.starting.remove(replica)
            books.live[replica] = nil
            books.leftovers[replica] = nil
            books.gpus.release(replica)
            books.ports.release(replica)
        }
    }

    private func prepare(
        _ spec: ReplicaSpec, _ places: RunPlaces
    ) throws(ReplicaError) -> StoredRun {
        let folder = files.folder(spec.name)
        let logs = files.log(spec.name, of: spec.deployment)
        for directory in [folder, logs] {
            try ReplicaError.file(directory) {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
            }
        }
        if let socket = places.address.socket {
            try ReplicaError.file(socket) { try files.makeSocketFolder(spec.name) }
            // A stale socket file would look like an address that answers; there mostly is none.
            try? FileManager.default.removeItem(atPath: socket)
        }
        let log = LogFolder(path: logs)
        let run = (log.runs().last ?? 0) + 1
        log.prune(keeping: spec.log.runs - 1)
        pruneLogs(of: spec.deployment)
        let nonce = Self.nonce()
        let groups = try groups.make(
            replica: spec.name, nonce: nonce, resources: spec.resources)
        let stored = StoredRun(
            record: ReplicaRecord(
                replica: spec.name, deployment: spec.deployment, revision: spec.revision,
                attempt: spec.attempt, run: run, nonce: nonce, specDigest: spec.digest,
                address: places.address, gpus: places.gpus,
                startedAt: Date(), enforcement: enforcement(of: spec.resources)),
            groups: groups, spec: spec, places: places)
        do throws(ReplicaError) {
            try stored.write(to: files.record(spec.name))
        } catch {
            self.groups.remove(groups)
            throw error
        }
        return stored
    }

    /// 128 bits that nobody guesses.
    private static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private func launch(
        _ spec: ReplicaSpec, _ program: String, _ places: RunPlaces, _ stored: StoredRun
    ) async throws(ReplicaError) -> LiveRun {
        let order = ShimOrder(
            folder: files.folder(spec.name), nonce: stored.record.nonce, boot: Kernel.boot,
            logs: files.log(spec.name, of: spec.deployment), run: stored.record.run,
            bounds: spec.log, graceMilliseconds: options.grace.milliseconds, program: program,
            arguments: spec.command.map { spec.filled($0, places) },
            variables: spec.variables(inherited: options.environment, places).merging([
                ProcessMarks.variable: mark(spec.name, run: stored.record.run)
            ]) { $1 },
            directory: spec.workingDirectory ?? FileManager.default.currentDirectoryPath,
            groups: stored.groups)
        guard let bytes = order.bytes, bytes.count <= Limits.specBytes else {
            throw .startFailed(
                step: "hand over command and environment",
                reason: "they hold a NUL or are larger than \(Limits.specBytes) bytes")
        }
        let shim = try Self.spawn(
            options.shim, replica: spec.name, order: bytes, inherited: options.environment)
        defer { close(shim.channel) }
        do throws(ReplicaError) {
            return try await introduce(shim, stored)
        } catch {
            _ = penstock_pidfd_send_signal(shim.pidfd, SIGKILL)
            _ = await watcher.readable(shim.pidfd, within: Limits.endingPatience)
            Self.reap(shim.pidfd)
            close(shim.pidfd)
            throw error
        }
    }

    /// "hello" from the shim, "go" to it, "running" from it.
    private func introduce(
        _ shim: SpawnedShim, _ stored: StoredRun
    ) async throws(ReplicaError) -> LiveRun {
        let hello = try await message(on: shim.channel, within: Limits.shimPatience)
        try Self.expect("hello", in: hello)
        guard let status = status(of: stored.record), status.shim.process == shim.process else {
            throw .startFailed(step: "read the shim's status", reason: "there is none")
        }
        Self.send("go\n", on: shim.channel)
        let word = try await message(on: shim.channel, within: Limits.shimPatience)
        try Self.expect("running", in: word)
        let numbers = word.split(separator: " ").dropFirst()
        guard let process = numbers.first.flatMap({ Int32($0) }),
            let ticks = numbers.last.flatMap({ UInt64($0) })
        else {
            throw .startFailed(step: "understand the shim", reason: word)
        }
        let live = LiveRun(
            stored: stored, run: ReplicaRun(record: stored.record), shim: status.shim,
            pidfd: shim.pidfd)
        live.run.report(
            .spawned(ProcessIdentity(process: process, startTicks: ticks, boot: Kernel.boot)))
        return live
    }

    /// Anything but the word is a failure, which the shim names if it can.
    private static func expect(_ word: String, in message: String) throws(ReplicaError) {
        if message.hasPrefix(word) { return }
        if message.hasPrefix("failed "), let failure = ShimStatus.failure(message.dropFirst(7)) {
            throw .startFailed(step: failure.step, reason: Kernel.errorText(failure.error))
        }
        throw .startFailed(
            step: "start the shim", reason: message.isEmpty ? "it ended at once" : message)
    }

    private func pruneLogs(of deployment: String) {
        let root = files.log("", of: deployment)
        let known = books.withLock { Set($0.live.keys).union($0.starting).union($0.leftovers.keys) }
        let folders = LogFolder.silent(in: root, except: known)
        for folder in folders.dropLast(max(0, Limits.logFolders - known.count)) {
            // Gone already is as good.
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

extension Duration {
    var milliseconds: Int { Int(self / .milliseconds(1)) }
}
