// GPUs: what nvidia-smi's answers mean, and that no device is given twice.
// Ports are given out by the same rule.

import Notation
import Replicas
import Testing

@Suite struct GPUAllocatorTests {
    private static let answer = """
        GPU-8f2c0001, Tesla T4, 15360
        GPU-8f2c0002, Tesla T4, 15360
        GPU-8f2c0003, NVIDIA A100-SXM4-40GB, 40960
        """

    @Test func `nvidia-smi's answer is an inventory`() {
        let inventory = GPUInventory(answer: Self.answer)
        #expect(inventory.source == .detected)
        #expect(inventory.devices.map(\.id) == ["GPU-8f2c0001", "GPU-8f2c0002", "GPU-8f2c0003"])
        #expect(inventory.devices[2].type == "NVIDIA A100-SXM4-40GB")
        #expect(inventory.devices[2].memoryBytes == 40 << 30)
    }

    @Test(arguments: ["", "No devices were found\n", "NVIDIA-SMI has failed, because, it couldn't"])
    func `other answers are no GPUs`(answer: String) {
        #expect(GPUInventory(answer: answer) == .none)
    }

    @Test func `usage is read by device, and what cannot tell is left out`() {
        let usage = GPUUsage.read(answer: "GPU-a, 37, 1024\nGPU-b, [N/A], 12\nnonsense\n")
        #expect(usage.count == 1)
        #expect(usage["GPU-a"]?.percent == 37)
        #expect(usage["GPU-a"]?.memoryBytes == 1 << 30)
    }

    @Test func `a runtime detects the GPUs that nvidia-smi tells, and gives them out`() async throws
    {
        let scratch = Scratch()
        try await scratch.program(
            "nvidia-smi",
            "#!/bin/sh\ncase $1 in *memory.total*) echo 'GPU-a, Tesla T4, 15360' ;; esac")
        let environment = ["PATH": "\(scratch.path)/bin:/usr/bin:/bin"]
        let runtime = try scratch.runtime(gpus: nil, environment: environment)
        #expect(await runtime.capacity().gpus.map(\.id) == ["GPU-a"])
        let spec = ReplicaSpec.shell("echo $CUDA_VISIBLE_DEVICES; exec tail -f /dev/null").with {
            ($0.resources.gpuCount, $0.resources.gpuType) = (1, "NVIDIA T4")
        }
        let run = try await runtime.start(spec)
        try await runtime.line("GPU-a")
        #expect(await runtime.capacity().freeGPUs == [])
        await runtime.kill(run)
        _ = await run.end()
        #expect(await runtime.capacity().freeGPUs.count == 1)
    }

    @Test(arguments: [
        "exit 9", "echo 'GPU-a, T4, 1'; exit 1", "head -c 1000000 /dev/zero", "kill $$",
    ])
    func `an nvidia-smi that fails is no GPUs`(script: String) async throws {
        let scratch = Scratch()
        try await scratch.program("nvidia-smi", "#!/bin/sh\n" + script)
        let runtime = try scratch.runtime(
            gpus: nil, environment: ["PATH": "\(scratch.path)/bin:/usr/bin:/bin"])
        #expect(await runtime.capacity().gpus == [])
    }

    @Test func `of two kinds that would do, the one of that very name is given`() throws {
        var allocator = GPUAllocator(.declared([("A100-SXM4-40GB", 1), ("A100", 1)]))
        #expect(try allocator.assign(count: 1, type: "A100", to: "a").map(\.id) == ["1"])
        #expect(try allocator.assign(count: 1, type: "A100", to: "b").map(\.id) == ["0"])
    }

    @Test func `a device is given to one replica only`() throws {
        var allocator = GPUAllocator(.declared(type: "NVIDIA T4", count: 3, memoryBytes: 1))
        #expect(try allocator.assign(count: 2, type: nil, to: "a").map(\.id) == ["0", "1"])
        #expect(try allocator.assign(count: 1, type: "T4", to: "b").map(\.id) == ["2"])
        #expect(allocator.free == [])
        #expect(throws: ReplicaError.noCapacity("1 GPU: only 0 of 3 are free")) {
            try allocator.assign(count: 1, type: nil, to: "c")
        }
        allocator.release("a")
        #expect(try allocator.assign(count: 1, type: nil, to: "c").map(\.id) == ["0"])
    }

    @Test func `a shortage says what there is`() {
        var none = GPUAllocator(.none)
        #expect(throws: ReplicaError.noCapacity("2 GPUs: there are no GPUs here")) {
            try none.assign(count: 2, type: nil, to: "a")
        }
        var some = GPUAllocator(GPUInventory(answer: Self.answer))
        #expect(throws: ReplicaError.self) { try some.assign(count: 1, type: "V100", to: "a") }
        #expect(throws: ReplicaError.self) { try some.assign(count: 3, type: "T4", to: "a") }
        #expect(some.free.count == 3, "a refusal takes nothing")
    }

    @Test func `what live replicas hold is restored before anything is given out`() throws {
        var allocator = GPUAllocator(.declared(type: "T4", count: 2, memoryBytes: 1))
        #expect(allocator.restore(["0", "gone"], to: "old") == [])
        #expect(allocator.restore(["0"], to: "other") == ["0"])
        #expect(try allocator.assign(count: 1, type: nil, to: "new").map(\.id) == ["1"])
        #expect(allocator.devices(of: "old").map(\.id) == ["0"])
    }

    @Test func `ports are given once, and those that others listen on not at all`() throws {
        var ports = PortReservations(range: 100..<104, start: 1)
        ports.restore(102, to: "old")
        #expect(try ports.take(for: "a") { $0 != 101 } == 103)
        #expect(try ports.take(for: "b") { _ in true } == 100)
        #expect(try ports.take(for: "c") { _ in true } == 101)
        #expect(throws: ReplicaError.self) { try ports.take(for: "d") { _ in true } }
        ports.release("old")
        #expect(try ports.take(for: "d") { _ in true } == 102)
    }
}
