// Patches: RFC 7396 over a deployment, what each edit means for its replicas, and what no patch can
// change.

import Deployments
import Notation
import Testing

@Suite struct SpecPatchTests {
    private func patched(
        _ patch: String, _ base: String = "{}", purpose: SpecPatch.Purpose = .edit
    ) throws -> SpecPatch.Result {
        try SpecPatch(purpose: purpose).apply(Specs.json(patch), to: Specs.with(base))
    }

    private func problems(_ patch: String, _ base: String = "{}") throws -> SpecProblems {
        try #require(#expect(throws: SpecProblems.self) { try patched(patch, base) })
    }

    @Test func `what a patch does not name stays`() throws {
        let result = try patched(
            #"{"description": "new"}"#,
            #"{"env": {"A": "1"}, "scaling_config": {"max_replicas": 4}}"#)
        #expect(result.spec.description == "new")
        #expect(result.spec.variables == ["A": "1"] && result.spec.scaling.maxReplicas == 4)
        #expect(result.summary.live == ["description"] && !result.summary.makesRevision)
    }

    @Test func `null takes a value back to its default`() throws {
        let base = #"{"concurrency": 4, "slo": {"latency_p95_ms": 9}, "owner": "me"}"#
        let result = try patched(#"{"concurrency": null, "slo": null, "owner": null}"#, base)
        #expect(result.spec == (try Specs.with("{}")))
        #expect(try problems(#"{"name": null}"#).problems.map(\.code) == [.missing, .immutable])
        #expect(try problems(#"{"resources": null}"#).problems.map(\.code) == [.missing, .missing])
    }

    @Test func `maps are patched by key, lists are replaced`() throws {
        let result = try patched(
            #"{"env": {"A": null, "C": "3"}, "args": ["z"]}"#,
            #"{"env": {"A": "1", "B": "2"}, "args": ["x", "y"]}"#)
        #expect(result.spec.variables == ["B": "2", "C": "3"])
        #expect(result.spec.arguments == ["z"])
        #expect(result.summary.restart == ["args", "env"])
    }

    @Test func `the scaling settings of the contract are a patch, too, and live`() throws {
        let result = try patched(
            #"{"scaling_config":{"min_replicas":2,"max_replicas":10,"target_cpu_utilization":60,"#
                + #""cooldown_period":300}}"#)
        #expect(
            result.summary.live == [
                "scaling_config.min_replicas", "scaling_config.max_replicas",
                "scaling_config.target_cpu_utilization",
            ])
        #expect(!result.summary.makesRevision)
    }

    @Test func `live and restart together are one plan`() throws {
        let result = try patched(#"{"owner": "me", "resources": {"memory": "1GiB"}}"#)
        #expect(result.summary.live == ["owner"])
        #expect(result.summary.restart == ["resources.memory"])
        #expect(result.summary.makesRevision)
    }

    @Test func `the class of each field is the contract's`() {
        let live = [
            "description", "labels", "owner", "concurrency", "enable_monitoring",
            "monitoring_override_reason",
        ]
        let restart = ["command", "args", "env", "secrets", "configs", "instance_type"]
        for field in DeploymentFields.all {
            let group = field.path[0]
            let expected: EditClass =
                switch group {
                case "name", "model", "environment": .immutable
                case "version", "artifact": .viaUpdateModel
                case "resources": .restart
                case "scaling_config", "load_balancer", "strategy", "slo", "lifecycle": .live
                default:
                    live.contains(group) ? .live : restart.contains(group) ? .restart : .immutable
                }
            #expect(field.edit == expected, "\(field.name)")
        }
    }

    @Test(arguments: [
        (#"{"name": "other"}"#, "/name", "shift the traffic"),
        (#"{"model": "other"}"#, "/model", "another deployment"),
        (#"{"environment": "production"}"#, "/environment", "promote"),
    ])
    func `what never changes is refused with the right way`(
        patch: String, pointer: String, hint: String
    ) throws {
        let problems = try problems(patch)
        #expect(problems.problems.map(\.pointer) == [pointer])
        #expect(problems.problems.map(\.code) == [.immutable])
        #expect(problems.hint?.contains(hint) == true)
    }

    @Test func `the same value of what never changes is no change`() throws {
        let result = try patched(#"{"name": "iris", "model": "iris", "version": "v1"}"#)
        #expect(result.summary.isEmpty)
    }

    @Test func `the version changes by updating the model only`() throws {
        let problems = try problems(#"{"version": "v2"}"#)
        #expect(problems.problems.map(\.code) == [.useUpdateModel])
        #expect(problems.hint?.contains(":updateModel") == true)
        let result = try patched(#"{"version": "v2"}"#, purpose: .updateModel)
        #expect(result.spec.version == "v2" && result.summary.model == ["version"])
    }

    @Test func `a size by name replaces the numbers, and numbers the name`() throws {
        let named = try patched(#"{"instance_type": "cpu.large"}"#)
        #expect(named.spec.resources == InstanceCatalogue.standard[name: "cpu.large"])
        let base = #"{"resources": null, "instance_type": "cpu.large"}"#
        let numbers = try patched(#"{"resources": {"memory": "8GiB"}}"#, base)
        #expect(numbers.spec.instanceType == nil)
        #expect(numbers.spec.resources == Resources(cpuMillis: 2000, memoryBytes: 8 << 30))
        let kept = try patched(#"{"instance_type": null}"#, base)
        #expect(kept.spec.resources == Resources(cpuMillis: 2000, memoryBytes: 4 << 30))
        #expect(
            try problems(#"{"instance_type": "cpu.large", "resources": {"cpu": 1}}"#)
                .problems.map(\.code) == [.conflict])
    }

    @Test func `a patch is checked as a whole, and nothing of a bad one is taken`() throws {
        let problems = try problems(
            #"{"scaling_config": {"min_replicas": 9}, "owner": "me", "ownr": "x"}"#)
        #expect(problems.problems.map(\.code) == [.unknownField])
        let range = try self.problems(#"{"scaling_config": {"min_replicas": 9}}"#)
        #expect(range.problems.map(\.pointer) == ["/scaling_config/min_replicas"])
    }

    @Test func `a place is told with the name that was sent`() throws {
        let problems = try problems(#"{"scalingConfig": {"minReplicas": "x"}}"#)
        #expect(problems.problems.map(\.pointer) == ["/scalingConfig/minReplicas"])
    }

    @Test func `three ways: the file's changes go over the API's`() throws {
        let last = try Specs.with(#"{"owner": "a", "scaling_config": {"max_replicas": 4}}"#)
        let next = try Specs.with(
            #"{"owner": "b", "description": "d", "scaling_config": {"max_replicas": 4}}"#)
        var current = last
        current.scaling.maxReplicas = 8
        current.owner = "c"
        let merged = SpecMerge.merged(next, last: last, over: current)
        #expect(merged.owner == "b" && merged.description == "d")
        #expect(merged.scaling.maxReplicas == 8)
        #expect(SpecMerge.merged(next, last: nil, over: current) == next)
    }
}
