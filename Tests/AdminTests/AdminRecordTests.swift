// Tokens, models, events, audit, watch and logs over the API, with a real store behind them.
// What is refused is told at its place, and nothing of it is done.

import Admin
import Deployments
import Foundation
import Guarding
import Notation
import State
import Testing

@Suite struct AdminRecordTests {
    @Test func `a token is made, told once, used and revoked`() async throws {
        let port = try await ControlPort.withIris()
        let made = await port.send(
            "POST", "/v1/tokens",
            """
            {"grants": [{"role": "engineer", "environments": ["staging"]}], "note": "CI",
             "expires_in": "720h"}
            """)
        #expect(made.status == 201, "\(made.text)")
        let token = try made.json()
        let secret = try #require(token["secret"]?.text)
        let id = try #require(token["id"]?.text)
        #expect(await port.send("GET", "/v1/deployments/iris", token: secret).status == 200)
        let told = await port.send("GET", "/v1/tokens/\(id)")
        #expect(!told.text.contains(secret))
        #expect(await port.send("DELETE", "/v1/tokens/\(id)").status == 200)
        #expect(await port.send("GET", "/v1/deployments/iris", token: secret).status == 401)
        let list = try await port.send("GET", "/v1/tokens").json()
        #expect(list["tokens"]?.list.count == 2)
    }

    @Test(arguments: [
        ("{}", "/grants MISSING"), (#"{"grants": []}"#, "/grants OUT_OF_RANGE"),
        (#"{"grants": [{"role": "king"}]}"#, "/grants/0/role INVALID_VALUE"),
        (
            #"{"grants": [{"role": "viewer", "environments": ["moon"]}]}"#,
            "/grants/0/environments/0 INVALID_VALUE"
        ),
        (#"{"grants": [{"role": "viewer", "x": 1}]}"#, "/grants/0/x UNKNOWN_FIELD"),
        (#"{"grants": [{"environments": ["staging"]}]}"#, "/grants/0/role MISSING"),
        (#"{"grants": [{"role": "viewer"}], "expires_in": 1}"#, "/expires_in OUT_OF_RANGE"),
        (#"{"grants": [{"role": "viewer"}], "note": 5}"#, "/note WRONG_TYPE"),
    ])
    func `a bad token is refused at its place`(body: String, error: String) async throws {
        let answer = await (try ControlPort()).send("POST", "/v1/tokens", body)
        #expect(answer.status == 422)
        #expect(try answer.errors().contains(error), "\(answer.text)")
    }

    @Test func `the first token is not revoked by mistake`() async throws {
        let port = try await ControlPort()
        let list = try await port.send("GET", "/v1/tokens").json()
        let id = list["tokens"]?.list.first?["id"]?.text ?? ""
        #expect(try await port.send("DELETE", "/v1/tokens/\(id)").problem() == "BOOTSTRAP_TOKEN")
    }

    @Test func `a version is registered with its digest, and only once`() async throws {
        let port = try await ControlPort()
        let file = try port.file("model.json", "{}")
        let body = #"{"version": "v1", "artifact": "\#(file)"}"#
        let made = await port.send("POST", "/v1/models/iris/versions", body)
        #expect(made.status == 201, "\(made.text)")
        #expect(
            try made.json()[path: ["artifact", "sha256"]]
                == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        #expect(await port.send("POST", "/v1/models/iris/versions", body).status == 200)
        _ = try port.file("model.json", "{ }")
        let other = await port.send("POST", "/v1/models/iris/versions", body)
        #expect(try other.problem() == "VERSION_EXISTS")
        let verified = await port.send("POST", "/v1/models/iris/versions/v1:verify")
        #expect(try verified.problem() == "ARTIFACT_ALTERED")
        _ = try port.file("model.json", "{}")
        let good = await port.send("POST", "/v1/models/iris/versions/v1:verify")
        #expect(try good.json()["verified"] == true)
        let model = try await port.send("GET", "/v1/models/iris").json()
        #expect(model["latest"] == "v1")
        #expect(await port.send("DELETE", "/v1/models/iris/versions/v1").status == 204)
        #expect(await port.send("GET", "/v1/models/iris").status == 404)
    }

    @Test(arguments: [
        ("{}", "/version MISSING"), (#"{"version": "a b"}"#, "/version INVALID_VALUE"),
        (#"{"version": "v1", "artifact": "relative"}"#, "/artifact INVALID_VALUE"),
        (#"{"version": "v1", "artifact": "/none"}"#, "/artifact INVALID_VALUE"),
        (#"{"version": "v1", "sha256": "xyz"}"#, "/sha256 INVALID_VALUE"),
        (#"{"version": "v1", "defaults": {"name": "x"}}"#, "/defaults/name READ_ONLY"),
        (#"{"version": "v1", "defaults": {"replicas": "x"}}"#, "/defaults/replicas WRONG_TYPE"),
    ])
    func `a bad registration is refused at its place`(body: String, error: String) async throws {
        let answer = await (try ControlPort()).send("POST", "/v1/models/iris/versions", body)
        #expect(answer.status == 422)
        #expect(try answer.errors().contains(error), "\(answer.text)")
    }

    @Test func `a version is deployed by its name, with what it suggests`() async throws {
        let port = try await ControlPort()
        for version in ["v1", "v2"] {
            _ = await port.send(
                "POST", "/v1/models/iris/versions",
                """
                {"version": "\(version)", "defaults": {"command": ["run", "{address}"],
                 "instance_type": "cpu.small"}}
                """)
        }
        let first = await port.send(
            "POST", "/v1/models/iris/versions/v1:deploy", #"{"environment":"staging"}"#)
        #expect(first.status == 200, "\(first.text)")
        let made = try await port.send("GET", "/v1/deployments/iris-staging").json()
        #expect(made[path: ["spec", "version"]] == "v1")
        #expect(made[path: ["spec", "command"]] == .texts(["run", "{address}"]))
        let second = await port.send(
            "POST", "/v1/models/iris/versions/v2:deploy", #"{"environment":"staging"}"#)
        #expect(try second.json()["action"] == "update_model", "\(second.text)")
        let inUse = await port.send("DELETE", "/v1/models/iris/versions/v2")
        #expect(try inUse.problem() == "VERSION_IN_USE")
        let unknown = await port.send(
            "POST", "/v1/models/iris/versions/v9:deploy", #"{"environment":"staging"}"#)
        #expect(unknown.status == 404)
    }

    @Test func `what was done is in the audit trail, and its chain holds`() async throws {
        let port = try await ControlPort()
        _ = await port.send(
            "POST", "/v1/models/iris/versions", #"{"version": "v1"}"#, ["x-request-id": "r-1"])
        let trail = try await port.send("GET", "/v1/audit?action=model_version").json()
        let entry = trail["entries"]?.list.first
        #expect(entry?["action"] == "model_version.register")
        #expect(entry?["actor"]?.text?.hasPrefix("token:") == true)
        let verdict = try await port.send("GET", "/v1/audit:verify").json()
        #expect(verdict["intact"] == true)
        #expect(await port.send("GET", "/v1/audit?since=yesterday").status == 400)
        #expect(await port.send("GET", "/v1/audit?name=x").status == 400)
        let slip = await port.send("GET", "/v1/audit?kind=deployments")
        #expect(slip.status == 400 && slip.text.contains("deployment, model-version"))
        // A name may be one of long ago.
        let none = try await port.send("GET", "/v1/audit?kind=deployment&name=x").json()
        #expect(none["entries"]?.list.isEmpty == true)
        #expect(
            try await port.send("GET", "/v1/audit?before=2001-01-01T00:00:00Z").json()["entries"]?
                .list.isEmpty == true)
    }

    @Test func `a stream ends with its token`() async throws {
        let port = try await ControlPort.withIris()
        await port.control.say(["one"])
        let secret = try await port.token(.viewer)
        let own = try await port.send("GET", "/v1/tokens").json()["tokens"]?.list ?? []
        let id = own.first { $0["note"] == "test" }?["id"]?.text ?? ""
        _ = await port.send("POST", "/v1/models/m/versions", #"{"version": "v1"}"#)
        let watch = await port.send("GET", "/v1/watch?since=0", token: secret)
        let logs = await port.send(
            "GET", "/v1/deployments/iris/replicas/iris-0/logs?follow=true", token: secret)
        #expect(await port.send("DELETE", "/v1/tokens/\(id)").status == 200)
        // The greeting, and nothing of what has changed.
        #expect(try await watch.streamed(parts: 2).count == 1)
        // Nothing but the end.
        #expect(try await logs.streamed(parts: 1) == ["event: end\ndata: {}\n\n"])
    }

    @Test func `a watch tells changes with their sequence and goes on from there`() async throws {
        let port = try await ControlPort()
        let before = try await port.store.sequence()
        for version in ["v1", "v2"] {
            _ = await port.send(
                "POST", "/v1/models/iris/versions", #"{"version": "\#(version)"}"#)
        }
        let watch = await port.send("GET", "/v1/watch?kinds=model_version&since=\(before)")
        #expect(watch.headers["content-type"] == "text/event-stream")
        let parts = try await watch.streamed(parts: 3)
        #expect(parts.count == 3 && parts[0].hasPrefix(": watching"))
        #expect(parts[1].contains("event: added") && parts[1].contains(#""name":"iris/v1""#))
        let id = try #require(parts[1].split(separator: "\n").first?.dropFirst(4))
        let resumed = await port.send(
            "GET", "/v1/watch?kinds=model_version", "", ["last-event-id": String(id)])
        #expect(try await resumed.streamed(parts: 2)[1].contains(#""name":"iris/v2""#))
    }

    @Test(arguments: [
        ("?kinds=moon", [:]), ("?since=-1", [:]), ("?since=x", [:]),
        ("", ["last-event-id": "x"]),
    ])
    func `a watch of nothing sensible is refused`(
        query: String, headers: [String: String]
    ) async throws {
        let answer = await (try ControlPort()).send("GET", "/v1/watch\(query)", "", headers)
        #expect(answer.status == 400)
    }

    @Test func `events have pages of their own`() async throws {
        let port = try await ControlPort.withIris()
        #expect(try await port.send("GET", "/v1/events?deployment=iris").json()["events"] != nil)
        #expect(await port.send("GET", "/v1/events?type=Odd").status == 400)
        #expect(await port.send("GET", "/v1/events?pageToken=x").status == 400)
    }

    @Test func `logs are told by range, as text, and as they come`() async throws {
        let port = try await ControlPort.withIris()
        await port.control.say(["one", "two", "three"])
        let logs = "/v1/deployments/iris/replicas/iris-0/logs"
        let page = try await port.send("GET", "\(logs)?limit=2").json()
        #expect(page["lines"]?.list.map { $0["text"]?.text } == ["one", "two"])
        #expect(page["next"] == 20 && page["complete"] == false)
        let text = await port.send("GET", logs, "", ["accept": "text/plain"])
        #expect(text.text == "one\ntwo\nthree\n")
        let stream = await port.send("GET", "\(logs)?follow=true")
        let parts = try await stream.streamed(parts: 4)
        #expect(parts.first?.hasPrefix("id: 1.0\nevent: line\ndata: {") == true)
        #expect(parts.last?.hasPrefix("event: end") == true)
        let resumed = await port.send(
            "GET", "\(logs)?follow=true", "", ["last-event-id": "1.10"])
        #expect(try await resumed.streamed(parts: 1)[0].contains("three"))
        let odd = await port.send("GET", "\(logs)?follow=true", "", ["last-event-id": "10"])
        #expect(odd.status == 400)
        let none = await port.send("GET", "/v1/deployments/iris/replicas/iris-9/logs")
        #expect(try none.problem() == "LOG_NOT_FOUND")
        for query in ["?offset=1&tail=2", "?run=x", "?since=x", "?limit=0", "?tail=0"] {
            #expect(await port.send("GET", logs + query).status == 400, "\(query)")
        }
    }

    @Test func `a log that is followed ends well when its deployment goes`() async throws {
        let port = try await ControlPort.withIris()
        await port.control.say(["one", "two"])
        let logs = "/v1/deployments/iris/replicas/iris-0/logs?follow=true&limit=1"
        let stream = try #require(await port.send("GET", logs).stream)
        let heard = Guarded<[String]>([])
        try await stream { text in
            heard.withLock { $0.append(text) }
            guard text.contains("one") else { return }
            _ = await port.send("DELETE", "/v1/deployments/iris", "", ["if-match": "*"])
        }
        #expect(heard.withLock { $0.last }?.hasPrefix("event: end") == true)
        #expect(heard.withLock { $0.count } == 2)
    }

    @Test func `streams are bounded, and give their place back`() async throws {
        let port = try await ControlPort()
        var open: [AdminResponse] = []
        for _ in 0..<128 { open.append(await port.send("GET", "/v1/watch")) }
        #expect(open.allSatisfy { $0.status == 200 })
        #expect(try await port.send("GET", "/v1/watch").problem() == "TOO_MANY_STREAMS")
        open.removeAll()
        #expect(await port.send("GET", "/v1/watch").status == 200)
    }

    @Test func `a backup is written beside the state`() async throws {
        let port = try await ControlPort()
        let made = await port.send("POST", "/v1/system:backup", #"{"file": "a.db"}"#)
        #expect(made.status == 201, "\(made.text)")
        let file = try #require(try made.json()["file"]?.text)
        #expect(FileManager.default.fileExists(atPath: file) && file.hasSuffix("/backups/a.db"))
        #expect(
            try await port.send("POST", "/v1/system:backup", #"{"file": "a.db"}"#).problem()
                == "FILE_EXISTS")
        #expect(await port.send("POST", "/v1/system:backup", #"{"file": "../a"}"#).status == 422)
    }

    @Test func `there are so many backups, and the next is refused`() async throws {
        let port = try await ControlPort()
        let folder = port.store.directory.appending(path: "backups")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for index in 0..<30 {
            try Data().write(to: folder.appending(path: "\(index).db"))
        }
        let last = await port.send("POST", "/v1/system:backup", #"{"file": "last.db"}"#)
        #expect(last.status == 201, "\(last.text)")
        for query in ["", "?dryRun=true"] {
            let more = await port.send("POST", "/v1/system:backup\(query)", #"{"file": "x.db"}"#)
            #expect(try more.problem() == "BACKUPS_FULL")
        }
        try FileManager.default.removeItem(at: folder.appending(path: "0.db"))
        #expect(await port.send("POST", "/v1/system:backup").status == 201)
    }

    @Test func `replicas, revisions and nodes are told`() async throws {
        let port = try await ControlPort.withIris()
        _ = await port.send(
            "PATCH", "/v1/deployments/iris", #"{"env": {"A": "1"}}"#, ["if-match": "*"])
        let revisions = try await port.send("GET", "/v1/deployments/iris/revisions").json()
        #expect(revisions["revisions"]?.list.map { $0["number"]?.whole } == [2, 1])
        let diff = try await port.send("GET", "/v1/deployments/iris/revisions/1:diff").json()
        #expect(diff["differences"]?.list.map { $0["field"]?.text } == ["env.A"])
        for (path, code) in [
            ("revisions/9", "REVISION_NOT_FOUND"), ("revisions/x", "REVISION_NOT_FOUND"),
            ("revisions/1:diff?with=9", "REVISION_NOT_FOUND"), ("replicas/x", "REPLICA_NOT_FOUND"),
        ] {
            let answer = await port.send("GET", "/v1/deployments/iris/\(path)")
            #expect(try answer.problem() == code)
        }
        let replicas = try await port.send("GET", "/v1/deployments/iris/replicas").json()
        #expect(replicas["replicas"]?.list.count == 2)
        let nodes = try await port.send("GET", "/v1/nodes").json()
        #expect(nodes["nodes"]?.list.first?[path: ["cpu", "cores"]] == 8)
        let types = try await port.send("GET", "/v1/instanceTypes").json()
        #expect(types["instance_types"]?.list.count == 11)
    }
}
