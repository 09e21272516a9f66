// Plans: what changes, what is replaced, whether it fits, how long it takes, what to beware of.
// Facts are made up; nothing runs.

import Deployments
import Notation
import Testing
import Traffic

@Suite struct ChangePlannerTests {
    private func facts(
        running: Int = 2, memory: Int64 = 16 << 30, taken: Int64 = 1 << 30, load: Duration? = nil
    ) -> PlanFacts {
        var facts = PlanFacts()
        facts.running = running
        facts.target = running
        facts.room.cpuMillis = 8000
        facts.room.memoryBytes = memory
        facts.room.memoryBytesTaken = taken
        facts.loadTime = load
        facts.startsSeen = 3
        return facts
    }

    @Test(arguments: [(1, "min_replicas"), (9, "max_replicas"), (3, nil)])
    func `a number by hand outside the settings is warned of`(
        _ replicas: Int, _ field: String?
    ) throws {
        var spec = try Specs.read(Specs.least)
        (spec.scaling.minReplicas, spec.scaling.maxReplicas) = (2, 4)
        let plan = ChangePlanner(facts: PlanFacts()).plan(
            "scale", from: spec, to: spec, replicas: replicas)
        let warning = plan.warnings.first { $0.code == "OUTSIDE_SCALING_BOUNDS" }
        #expect(warning?.field == field.map { "scaling_config.\($0)" })
    }

    @Test func `a live edit replaces nothing and takes no time`() throws {
        let old = try Specs.with("{}")
        var new = old
        new.loadBalancer.algorithm = .ipHash
        let plan = ChangePlanner(facts: facts()).plan("update", from: old, to: new)
        #expect(plan.summary.live == ["load_balancer.algorithm"])
        #expect(plan.replaced == 0 && !plan.makesRevision && plan.fit.fits)
        #expect(plan.expected.time == .zero)
        #expect(plan.differences.map(\.path) == ["load_balancer.algorithm"])
    }

    @Test func `a restart edit replaces all, one more at a time`() throws {
        let old = try Specs.with(#"{"replicas": 4}"#)
        var new = old
        new.resources.memoryBytes = 1 << 30
        let plan = ChangePlanner(facts: facts(running: 4, load: .seconds(5)))
            .plan("update", from: old, to: new)
        #expect(plan.makesRevision && plan.replaced == 4)
        #expect(plan.replicas == .init(now: 4, after: 4, peak: 5))
        #expect(plan.expected.time == .seconds(60))
        #expect(plan.steps.count == 3)
    }

    @Test func `a stopped deployment only remembers`() throws {
        let old = try Specs.with("{}")
        var new = old
        new.variables = ["A": "1"]
        var facts = facts(running: 0)
        facts.isMeantToRun = false
        let plan = ChangePlanner(facts: facts).plan("update", from: old, to: new)
        #expect(plan.makesRevision && plan.replaced == 0 && plan.replicas.after == 0)
    }

    @Test func `replacing in place needs no more room`() throws {
        let old = try Specs.with(
            #"{"replicas": 2, "strategy": {"max_surge": 0, "max_unavailable": 1}}"#)
        var new = old
        new.variables = ["A": "1"]
        let plan = ChangePlanner(facts: facts(memory: 1 << 30, taken: 1 << 30))
            .plan("update", from: old, to: new)
        #expect(plan.fit.fits && plan.replicas.peak == 2)
    }

    @Test func `GPUs are had or not, by kind`() throws {
        let spec = try Specs.with(
            #"{"replicas": 2, "resources": {"gpu": 1, "gpu_type": "NVIDIA T4"}}"#)
        var facts = facts(running: 0)
        let none = ChangePlanner(facts: facts).plan("create", from: nil, to: spec)
        #expect(none.fit.reasons == ["one replica wants 1 NVIDIA T4 GPU; there is none"])
        facts.room.gpus = [
            "Tesla T4": .init(count: 2, taken: 1), "NVIDIA A100": .init(count: 8, taken: 0),
        ]
        let one = ChangePlanner(facts: facts).plan("create", from: nil, to: spec)
        #expect(one.fit.reasons == ["2 more replicas of 1 GPU; 1 of that kind free"])
        var three = spec
        three.resources.gpu = 3
        let many = ChangePlanner(facts: facts).plan("create", from: nil, to: three)
        #expect(
            many.fit.reasons == ["one replica wants 3 NVIDIA T4 GPUs; there are 2 of that kind"])
        facts.room.gpus["Tesla T4"]?.taken = 0
        #expect(ChangePlanner(facts: facts).plan("create", from: nil, to: spec).fit.fits)
    }

    @Test func `a replica's GPUs are all of one kind`() throws {
        var spec = try Specs.with(#"{"replicas": 1}"#)
        (spec.resources.gpu, spec.resources.gpuType) = (2, "A100")
        var facts = facts(running: 0)
        facts.room.gpus = [
            "A100-SXM4-40GB": .init(count: 1, taken: 0),
            "A100-SXM4-80GB": .init(count: 1, taken: 0),
        ]
        let plan = ChangePlanner(facts: facts).plan("create", from: nil, to: spec)
        #expect(plan.fit.reasons == ["one replica wants 2 A100 GPUs; there is 1 of that kind"])
    }

    @Test func `one replica larger than everything never fits, more cores than there are do`()
        throws
    {
        let large = try Specs.with(#"{"resources": {"cpu": 9}}"#)
        let plan = ChangePlanner(facts: facts(running: 0)).plan("create", from: nil, to: large)
        #expect(plan.fit.reasons == ["one replica wants 9 cores; there are 8 in all"])
        let many = try Specs.with(#"{"replicas": 9}"#)
        let shared = ChangePlanner(facts: facts(running: 0)).plan("create", from: nil, to: many)
        #expect(shared.fit.fits && shared.warnings.contains { $0.code == "CPU_OVERCOMMITTED" })
    }

    @Test func `how long a first start takes is not made up`() throws {
        let spec = try Specs.with("{}")
        let plan = ChangePlanner(facts: facts(running: 0)).plan("create", from: nil, to: spec)
        #expect(plan.expected.time == nil && plan.makesRevision && plan.replicas.after == 1)
    }

    @Test func `a scale is told as replicas`() throws {
        let spec = try Specs.with(#"{"scaling_config": {"min_replicas": 1, "max_replicas": 8}}"#)
        let up = ChangePlanner(facts: facts(running: 1, load: .seconds(3)))
            .plan("scale", from: spec, to: spec, replicas: 8)
        #expect(up.replicas == .init(now: 1, after: 8, peak: 8) && up.expected.time == .seconds(3))
        #expect(
            up.replaced == 0
                && up.steps == ["7 replicas start, are proven ready, and join the plan"])
        let down = ChangePlanner(facts: facts(running: 8)).plan(
            "scale", from: spec, to: spec, replicas: 2)
        #expect(down.replicas.after == 2 && down.steps.count == 2)
    }

    @Test(arguments: [
        (#"{"scaling_config": {"min_replicas": 1, "max_replicas": 3}}"#, "AUTOSCALING_NOT_ACTIVE"),
        (#"{"scaling_config": {"min_replicas": 0}}"#, "SCALED_TO_ZERO"),
        (#"{"scaling_config": {"target_gpu_utilization": 50}}"#, "NO_GPU"),
        (#"{"resources": {"gpu_type": "T4"}}"#, "GPU_TYPE_WITHOUT_GPU"),
        (#"{"scaling_config": {"target_cpu_utilization": 60}}"#, "AUTOSCALING_NOT_ACTIVE"),
        (#"{"environment": "production"}"#, "SINGLE_REPLICA"),
        (#"{"env": {"DB_PASSWORD": "x"}}"#, "SECRET_IN_ENV"),
    ])
    func `what is probably not meant is told`(patch: String, code: String) throws {
        let codes = SpecLint.warnings(try Specs.with(patch)).map(\.code)
        #expect(codes.contains(code), "\(codes)")
        #expect(SpecLint.warnings(try Specs.with("{}")).isEmpty)
    }
}
