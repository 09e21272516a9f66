// What a valid file means: defaults, spellings, paths, and every key's effect. Values are compared
// with the plans the gate takes, not with the text.

import Deployments
import Settings
import Testing
import Traffic

struct ConfigurationTests {
    @Test func `the smallest file has every default`() throws {
        let configuration = try parsed(withService(""))
        #expect(configuration.gateway.listeners.map(\.address.description) == ["127.0.0.1:8080"])
        #expect(configuration.gateway.workers == 4)
        #expect(configuration.gateway.limits == TrafficLimits())
        #expect(configuration.gateway.timeouts == TimeoutPlan())
        #expect(configuration.gateway.accessLog == nil)
        #expect(configuration.admin.listen.description == "127.0.0.1:9090")
        #expect(configuration.statePath == "/etc/penstock/var/penstock")
        #expect(configuration.log.level == .info)
        #expect(configuration.replicasOnExit == .stop)
        #expect(configuration.machine == MachineSettings())
        #expect(configuration.services[0].revisions[0].weight == 1000)
    }

    @Test func `what the machine has is as it is told`() throws {
        let machine = try parsed(
            """
            machine:
              gpus: [{ type: NVIDIA T4, count: 4, memory: 16GiB }, { type: A100, count: 1 }]
              control_groups: /sys/fs/cgroup/replicas
            replicas_on_exit: keep
            """
        ).machine
        #expect(machine.gpus?.map(\.type) == ["NVIDIA T4", "A100"])
        #expect(machine.gpus?.map(\.count) == [4, 1])
        #expect(machine.gpus?.map(\.memoryBytes) == [16 << 30, 0])
        #expect(machine.controlGroups == .under("/sys/fs/cgroup/replicas"))
        #expect(try parsed("machine: { control_groups: off }").machine.controlGroups == .off)
    }

    @Test func `the gateway's keys take effect`() throws {
        let gateway = try parsed(
            """
            gateway:
              listeners:
                - { address: "[::1]:0", proxy_protocol: true }
                - { address: "unix:/run/p.sock" }
              workers: 2
              limits: { connections: 10, request_head: 8KiB, headers: 64,
                        request_body: 1GB, pending: 0, replay: 0 }
              timeouts: { request_head: 250ms, total: 1h, drain: 0s, connect: 1.5s }
              access_log: { path: access.log, sample: 0.25 }
              trusted_proxies: [10.0.0.0/8, "fd00::/8"]
            """
        ).gateway
        #expect(gateway.listeners[0].requiresProxyProtocol)
        #expect(gateway.listeners[1].address == .unix(path: "/run/p.sock"))
        #expect(gateway.workers == 2)
        #expect(gateway.limits.requestHeadBytes == 8192)
        #expect(gateway.limits.requestBodyBytes == 1_000_000_000)
        #expect(gateway.timeouts.requestHead == .milliseconds(250))
        #expect(gateway.timeouts.connect == .milliseconds(1500))
        #expect(gateway.timeouts.drain == .zero)
        #expect(gateway.accessLog == AccessLogPlan(path: "/etc/penstock/access.log", sample: 0.25))
        #expect(gateway.trustedProxies[0].prefixLength == 104)
    }

    @Test func `standard output is no file beside the configuration`() throws {
        let gateway = try parsed("gateway: { access_log: { path: \"-\" } }").gateway
        #expect(gateway.accessLog?.path == "-")
    }

    @Test func `the admin port beyond this machine needs a certificate`() throws {
        let admin = try parsed(
            "admin: { listen: 0.0.0.0:9090, tls: { certificate: a.pem, key: /k.pem } }"
        ).admin
        #expect(admin.listen == .tcp(host: "0.0.0.0", port: 9090))
        #expect(admin.tls?.certificate == "/etc/penstock/a.pem" && admin.tls?.key == "/k.pem")
    }

    @Test func `camelCase is accepted wherever snake_case is`() throws {
        let configuration = try parsed(
            """
            gateway: { timeouts: { requestHead: 5s }, accessLog: { path: /a.log } }
            replicasOnExit: stop
            deployments:
              - name: iris
                modelId: iris
                version: 2
                command: [model, "{address}"]
                resources: { cpu: 0.5, memoryGb: 1 }
                loadBalancer:
                  { healthCheckPath: /ready, healthCheckInterval: 2, stickySessions: true }
                scalingConfig: { minReplicas: 2, maxReplicas: 2 }
            """)
        #expect(configuration.gateway.timeouts.requestHead == .seconds(5))
        #expect(configuration.replicasOnExit == .stop)
        let deployment = try #require(configuration.deployments.first)
        #expect(deployment.version == "2" && deployment.resources.memoryBytes == 1_000_000_000)
        #expect(deployment.scaling.minReplicas == 2 && deployment.scaling.maxReplicas == 2)
        #expect(deployment.loadBalancer.healthPath == "/ready")
        #expect(deployment.loadBalancer.healthInterval == .seconds(2))
        #expect(deployment.loadBalancer.isSticky)
    }

    @Test(arguments: [
        ("round_robin", BalancingAlgorithm.roundRobin), ("Round Robin", .roundRobin),
        ("Least Connections", .leastConnections), ("least_connections", .leastConnections),
        ("IP Hash", .ipHash), ("ip_hash", .ipHash), ("random_two_choices", .randomTwoChoices),
        ("least_latency", .leastLatency), ("Least Latency", .leastLatency),
        ("leastLatency", .leastLatency),
    ])
    func `an algorithm has several spellings`(text: String, algorithm: BalancingAlgorithm) throws {
        let plan = try service(withService("balancing: { algorithm: \"\(text)\" }"))
        #expect(plan.balancing.algorithm == algorithm)
    }

    @Test(arguments: [
        ("a.log", "/etc/penstock/a.log"), ("./a/../b.log", "/etc/penstock/b.log"),
        ("../var//penstock/.", "/etc/var/penstock"), ("/a/./b/../c", "/a/c"),
        ("../../../../x", "/x"), ("/..", "/"),
    ])
    func `paths are absolute and have no detours`(written: String, path: String) throws {
        #expect(try parsed("state: \"\(written)\"").statePath == path)
    }

    @Test func `a service's keys take effect`() throws {
        let plan = try service(
            withService(
                """
                balancing: { slow_start: 30s, sticky: { cookie: penstock, ttl: 2h } }
                    split: { key: "header:X-User", override: true }
                    health: { path: /ok, interval: 2s, timeout: 500ms, rise: 1, fall: 5 }
                    ejection: { failures: 3, base: 5s, max: 25% }
                    retry: { attempts: 3, idempotent: true, budget: 10% }
                    timeouts: { first_byte: 10s }
                    headers: { response: { X-Served-By: penstock, server: null } }
                    host: rewrite
                """))
        #expect(plan.balancing.slowStart == .seconds(30))
        #expect(
            plan.balancing.sticky == StickyPlan(key: .cookie("penstock"), lifetime: .seconds(7200)))
        #expect(plan.split.key == .header("x-user") && plan.split.allowsOverride)
        #expect(plan.health?.probe == .http(path: "/ok") && plan.health?.fall == 5)
        #expect(plan.ejection.maxShare == 0.25 && plan.ejection.failures == 3)
        #expect(plan.retry.budgetShare == 0.1 && plan.retry.isIdempotent)
        #expect(plan.timeouts.firstByte == .seconds(10))
        #expect(
            plan.headers.response == [
                .init(name: "x-served-by", value: "penstock"), .init(name: "server", value: nil),
            ])
        #expect(plan.rewritesHost)
    }

    @Test func `a service's timeouts stand over the gateway's`() throws {
        let text =
            "gateway: { timeouts: { first_byte: 7s, total: 9s } }\n"
            + withService("timeouts: { total: 8s }")
        let timeouts = try service(text).timeouts
        #expect(timeouts.firstByte == .seconds(7) && timeouts.total == .seconds(8))
    }

    @Test func `routes are read as requests are compared`() throws {
        let plan = try service(
            withRoute(
                "{ path: /echo/, strip: true }, { host: \"*.Example.com\", path: /v1 }, "
                    + "{ header: \"X-Penstock-Deployment: echo\" }, { model: iris }"))
        #expect(
            plan.routes == [
                RoutePlan(path: "/echo", strips: true),
                RoutePlan(host: "*.example.com", path: "/v1"),
                RoutePlan(header: HeaderMatch(name: "x-penstock-deployment", value: "echo")),
                RoutePlan(model: "iris"),
            ])
    }

    @Test func `revisions share in tenths of a percent`() throws {
        let plan = try service(
            withRevisions(
                "{ name: a, weight: 99.9, endpoints: [\"model.local:1\"] }, "
                    + "{ name: b, weight: 0.1%, protocol: http1, endpoints: "
                    + "[{ address: \"unix:/b\", weight: 2, concurrency: 8 }] }"))
        #expect(plan.revisions.map(\.weight) == [999, 1])
        #expect(
            plan.revisions[1].endpoints == [
                EndpointPlan(address: .unix(path: "/b"), weight: 2, concurrency: 8)
            ])
    }

    @Test func `the deployment of the contract is accepted as it stands there`() throws {
        let configuration = try parsed(
            """
            deployments:
              - name: iris
                model: iris
                version: v1
                environment: development
                command: [penstock-model, --artifact, "{artifact}", --listen, "{address}"]
                resources: { cpu: 1, memory: 512MiB, gpu: 0, gpu_type: "NVIDIA T4", storage: 1GB, \
            bandwidth_mbps: 100 }
                scaling_config: { min_replicas: 2, max_replicas: 4, target_cpu_utilization: 70, \
            target_memory_utilization: 80, cooldown_period: 300 }
                load_balancer: { enabled: true, algorithm: least_latency, \
            health_check_path: /v2/health/ready, health_check_interval: 5, sticky_sessions: false }
                env: { LOG_LEVEL: info }
                strategy: { type: rolling }
                enable_monitoring: true
            """)
        let deployment = try #require(configuration.deployments.first)
        #expect(deployment.resources.gpuType == "NVIDIA T4")
        #expect(deployment.resources.storageBytes == 1_000_000_000)
        #expect(deployment.scaling.maxReplicas == 4 && deployment.scaling.targetMemory == 80)
        #expect(deployment.loadBalancer.healthInterval == .seconds(5))
    }

    @Test func `a deployment implies a service`() throws {
        let configuration = try parsed(
            """
            deployments:
              - name: iris
                model: flowers
                version: v2
                environment: development
                command: [model, "{artifact}", "{address}"]
                artifact: models/iris.json
                instance_type: cpu.standard
                replicas: 3
                concurrency: 4
                env: { LOG_LEVEL: info, DEBUG: true, PORT: 8080 }
                load_balancer: { enabled: true, algorithm: least_latency }
            """)
        let deployment = try #require(configuration.deployments.first)
        #expect(deployment.artifact == "/etc/penstock/models/iris.json")
        #expect(deployment.variables == ["LOG_LEVEL": "info", "DEBUG": "true", "PORT": "8080"])
        #expect(deployment.scaling.minReplicas == 3)
        let plan = deployment.service(revisions: [])
        #expect(plan.routes.map(\.path) == ["/iris", nil, nil])
        #expect(plan.routes[2].model == "flowers")
        #expect(plan.retry.isIdempotent && plan.health?.probe == .openInference)
        #expect(plan.balancing.algorithm == .leastLatency)
    }
}
