// The tree of a deployment: what is at work, revisions, replicas, and what asks for attention;
// below it where to ask the deployment, and what to look at next.

import Console
import Notation
import Testing

struct StatusTreeTests {
    private let now = Words.seconds(of: "2026-01-31T10:00:00.000Z") ?? 0

    private var deployment: JSONValue {
        .object([
            "metadata": .object(["name": "iris", "created_at": "2026-01-31T09:00:00.000Z"]),
            "spec": .object(["model": "iris", "version": "v2"]),
            "status": .object([
                "status": "degraded", "reason": "Errors", "message": "errors",
                "replicas": .object(["ready": 1, "desired": 2]), "target_replicas": 2,
                "revision": 2, "revision_in_force": 1,
                "endpoint": .object(["url": "http://127.0.0.1:8080/iris/"]),
                "conditions": .array([
                    condition("Degraded", "True", "too many errors"),
                    condition("Available", "True", "1 ready"),
                    condition("RoutingSynced", "False", "a worker lags"),
                    condition("Progressing", "False", "nothing is under way"),
                ]),
            ]),
        ])
    }

    private func condition(_ kind: String, _ status: String, _ message: String) -> JSONValue {
        .object([
            "type": .string(kind), "status": .string(status), "reason": "Because",
            "message": .string(message), "last_transition_time": "2026-01-31T09:59:00.000Z",
        ])
    }

    private func replica(_ name: String, _ revision: Int64, _ state: String) -> JSONValue {
        .object([
            "name": .string(name), "revision": .integer(revision), "state": .string(state),
            "started_at": "2026-01-31T09:50:00.000Z",
        ])
    }

    @Test func `it shows operation, revisions and replicas with their figures`() {
        let stats = JSONValue.object([
            "last_60s": .object([
                "requests": 60, "requests_per_second": 1, "failed_percent": 5,
                "p50_ms": .number(1.25), "p95_ms": 3,
            ])
        ])
        let tree = StatusTree(
            deployment: deployment,
            replicas: [
                replica("iris-1", 1, "ready"), replica("iris-2", 2, "loading"),
                replica("iris-0", 1, "exited"),
            ],
            operation: .object([
                "action": "update", "state": "running", "done": false,
                "created_at": "2026-01-31T09:59:50.000Z",
                "progress": .object(["message": "0 of 2 ready"]),
            ]), stats: stats, now: now)
        #expect(
            tree.text(.plain, width: nil) == """
                NAME           STATUS    READY  AGE  REQ/S  P50      P95   ERRORS  NOTE
                iris  iris:v2  degraded  1/2    60m  1      1.25 ms  3 ms  5 %     errors
                ├─ update      running          10s                                0 of 2 ready
                ├─ r2          wanted    0
                │  └─ iris-2   loading          10m
                └─ r1          serving   1
                   └─ iris-1   ready            10m

                ! Degraded (Because, 1m): too many errors
                ! RoutingSynced (Because, 1m): a worker lags

                endpoint  http://127.0.0.1:8080/iris/
                next      penstock why iris
                """)
    }

    @Test func `a healthy one says how to ask it`() {
        let healthy = JSONValue.object([
            "metadata": .object(["name": "iris"]),
            "status": .object([
                "status": "healthy",
                "endpoint": .object([
                    "url": "http://127.0.0.1:8080/iris/",
                    "curl": "curl -i 'http://127.0.0.1:8080/iris/v2/health/ready'",
                ]),
            ]),
        ])
        let lines = StatusTree(deployment: healthy, replicas: [], operation: nil, now: now)
            .text(.plain, width: nil).split(separator: "\n")
        #expect(
            lines.suffix(3) == [
                "endpoint  http://127.0.0.1:8080/iris/",
                "try       curl -i 'http://127.0.0.1:8080/iris/v2/health/ready'",
                "next      penstock logs iris -f",
            ])
    }

    @Test func `an operation that went well is not shown any more`() {
        let tree = StatusTree(
            deployment: deployment, replicas: [],
            operation: .object([
                "action": "scale", "state": "succeeded", "done": true,
                "finished_at": "2026-01-31T09:59:59.000Z",
            ]), now: now)
        #expect(!tree.text(.plain, width: nil).contains("scale"))
    }
}
