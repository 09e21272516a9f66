// Documents into specs: what is accepted and in which spellings, and that showing a spec and
// reading it again changes nothing.

import Deployments
import Foundation
import Notation
import Testing
import Traffic

@Suite struct SpecReaderTests {
    @Test func `the least is enough, and the rest are defaults`() throws {
        let spec = try Specs.read(Specs.least)
        #expect(spec.environment == .development)
        #expect(spec.resources == Resources(cpuMillis: 1000, memoryBytes: 536_870_912))
        #expect(spec.scaling.minReplicas == 1 && spec.scaling.maxReplicas == 1)
        #expect(spec.loadBalancer == LoadBalancerSpec())
        #expect(spec.strategy.kind == .rolling)
        #expect(spec.isMonitored)
    }

    @Test func `the scaling settings of the contract are accepted exactly so`() throws {
        let spec = try Specs.with(
            #"{"scaling_config":{"min_replicas":2,"max_replicas":10,"target_cpu_utilization":60,"#
                + #""cooldown_period":300}}"#)
        #expect(spec.scaling.minReplicas == 2 && spec.scaling.maxReplicas == 10)
        #expect(spec.scaling.targetCPU == 60 && spec.scaling.cooldown == .seconds(300))
    }

    @Test func `every field of the table is read from its example`() throws {
        for field in DeploymentFields.all {
            var document = try Specs.json(Specs.least)
            if field.name == "instance_type" { document = document.setting("resources", to: nil) }
            document = document.setting(path: field.path, to: field.example)
            // Alone it would be above the most.
            if field.name == "scaling_config.min_replicas" {
                document = document.setting(path: ["scaling_config", "max_replicas"], to: 10)
            }
            let spec = try SpecReader().read(document)
            #expect(field.show(spec) != nil, "\(field.name)")
            let again = try SpecReader().read(spec.document)
            #expect(again == spec, "\(field.name)")
        }
    }

    @Test func `every field may be written in camelCase`() throws {
        for field in DeploymentFields.all {
            let path = field.path.map(camelCase)
            var document = try Specs.json(Specs.least)
            if field.name == "instance_type" { document = document.setting("resources", to: nil) }
            if field.path[0] == "resources" || field.isRequired {
                document = document.setting(path: field.path, to: nil)
            }
            document = document.setting(path: path, to: field.example)
            if field.name == "scaling_config.min_replicas" {
                document = document.setting(path: ["scalingConfig", "maxReplicas"], to: 10)
            }
            #expect(throws: Never.self, "\(field.name)") { try SpecReader().read(document) }
        }
    }

    @Test(arguments: [
        ("Round Robin", BalancingAlgorithm.roundRobin), ("round_robin", .roundRobin),
        ("Least Connections", .leastConnections), ("IP Hash", .ipHash), ("ip-hash", .ipHash),
        ("random_two_choices", .randomTwoChoices), ("least_latency", .leastLatency),
    ])
    func `an algorithm has several spellings`(text: String, algorithm: BalancingAlgorithm) throws {
        let spec = try Specs.with(#"{"load_balancer": {"algorithm": "\#(text)"}}"#)
        #expect(spec.loadBalancer.algorithm == algorithm)
    }

    @Test(arguments: [
        (#"{"resources": {"cpu": 1, "memory": null, "memory_gb": 4}}"#, 4_000_000_000 as Int64),
        (#"{"resources": {"memory": 1073741824}}"#, 1_073_741_824),
        (#"{"resources": {"memory": "1GiB"}}"#, 1_073_741_824),
        (#"{"resources": {"memory": "1.5GB"}}"#, 1_500_000_000),
    ])
    func `memory is bytes, or says its unit`(patch: String, bytes: Int64) throws {
        let document = try Specs.json(Specs.least).patched(with: Specs.json(patch))
        #expect(try SpecReader().read(document).resources.memoryBytes == bytes)
    }

    @Test func `replicas is a range of one, and a strategy may be its type alone`() throws {
        let spec = try Specs.with(#"{"replicas": 3, "strategy": "Rolling Update"}"#)
        #expect(spec.scaling.minReplicas == 3 && spec.scaling.maxReplicas == 3)
        #expect(spec.strategy.kind == .rolling)
    }

    @Test func `an instance type stands for its numbers and keeps them`() throws {
        let spec = try Specs.with(#"{"resources": null, "instance_type": "gpu.xlarge"}"#)
        #expect(spec.resources == InstanceCatalogue.standard[name: "gpu.xlarge"])
        #expect(spec.resources.gpu == 1)
        // What is shown has both, and agrees with itself.
        #expect(try SpecReader().read(spec.document) == spec)
        #expect(
            try Specs.refused(#"{"instance_type": "cpu.large"}"#)
                == ["/resources/cpu CONFLICT", "/resources/memory CONFLICT"])
    }

    @Test func `a whole URL is taken for its path`() throws {
        let spec = try Specs.with(
            #"{"load_balancer": {"health_check_url": "http://localhost:8000/healthz?deep=1"}}"#)
        #expect(spec.loadBalancer.healthPath == "/healthz?deep=1")
    }

    @Test func `a relative path is relative to the file, or refused`() throws {
        let document = try Specs.json(Specs.least).setting("artifact", to: "models/a.json")
        let spec = try SpecReader(SpecContext(directory: "/etc/penstock")).read(document)
        #expect(spec.artifact == "/etc/penstock/models/a.json")
        #expect(throws: SpecProblems.self) { try SpecReader().read(document) }
    }

    @Test func `what is shown is read again as the same, whatever it is`() throws {
        let spec = try Specs.with(
            """
            {"description": "two\\nlines", "labels": {"team/a": "x"}, "owner": "me",
             "environment": "production", "args": ["--threads", "2"], "env": {"A": "", "B": "1"},
             "secrets": {"T": "token#3", "U": "other"}, "configs": ["eu#2"], "concurrency": 4,
             "resources": {"gpu": 2, "gpu_type": "NVIDIA T4", "storage": "1GB",
              "bandwidth_mbps": 100}, "scaling_config": {"min_replicas": 0, "max_replicas": 4,
              "enabled": false, "target_memory_utilization": 80, "cooldown_period": "1.5s"},
             "load_balancer": {"enabled": false, "sticky_sessions": true,
              "health_check_interval": 0.25}, "strategy": {"type": "rolling",
              "max_surge": "50%"}, "slo": {"error_rate": "0.5%", "latency_p95_ms": 250},
             "lifecycle": {"drain_seconds": 1, "smoke_paths": ["/a"]}, "enable_monitoring": false,
             "monitoring_override_reason": "because"}
            """)
        #expect(spec.strategy.maxSurge == .share(500))
        #expect(spec.objective.errorRate == 5)
        #expect(spec.scaling.cooldown == .milliseconds(1500))
        #expect(try SpecReader().read(spec.document) == spec)
    }

    @Test func `a deployment implies a service`() throws {
        let spec = try Specs.with(
            #"{"load_balancer": {"algorithm": "ip_hash", "health_check_path": "/up", "#
                + #""healthy_threshold": 1, "sticky_sessions": true}}"#)
        let endpoints = [1, 2].map { EndpointPlan(address: .tcp(host: "127.0.0.1", port: $0)) }
        let revision = RevisionPlan(name: "1", weight: 1000, endpoints: endpoints)
        let service = spec.service(revisions: [revision])
        #expect(service.routes.map(\.path) == ["/iris", nil, nil])
        #expect(service.health?.probe == .http(path: "/up") && service.health?.rise == 1)
        #expect(service.balancing.algorithm == .ipHash && service.balancing.sticky != nil)
        #expect(service.retry.isIdempotent && service.revisions == [revision])
        let alone = try Specs.with(#"{"load_balancer": {"enabled": false}}"#)
        #expect(alone.service(revisions: [revision]).revisions[0].endpoints.count == 1)
    }

    private func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words.enumerated().map {
            $0.offset == 0 ? String($0.element) : $0.element.capitalized
        }
        .joined()
    }
}
