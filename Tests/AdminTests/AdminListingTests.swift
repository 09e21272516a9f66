// Lists: filters, order, fields and pages, and that pages fit together while things come and go.
// Deployments stand for every kind of thing that is listed.

import Admin
import Deployments
import Notation
import State
import Testing

@Suite struct AdminListingTests {
    /// Ten deployments, `d0` to `d9`: odd ones in production, each with its number of replicas.
    private func port() async throws -> ControlPort {
        let port = try await ControlPort()
        for index in 0..<10 {
            let document = try JSONReader.read(Array(ControlPort.least.utf8))
                .setting("name", to: .string("d\(index)"))
                .setting("environment", to: index % 2 == 1 ? "production" : "staging")
                .setting(path: ["scaling_config", "max_replicas"], to: .count(index + 2))
            let answer = await port.send("POST", "/v1/deployments", document.compact)
            try #require(answer.status == 200, "\(answer.text)")
        }
        return port
    }

    private func names(_ port: ControlPort, _ query: String, token: String? = nil) async throws
        -> [String]
    {
        let answer = await port.send("GET", "/v1/deployments\(query)", token: token)
        try #require(answer.status == 200, "\(answer.text)")
        return try answer.json()["deployments"]?.list.compactMap {
            $0[path: ["metadata", "name"]]?.text
        } ?? []
    }

    @Test(arguments: [
        ("", "d0 d1 d2 d3 d4 d5 d6 d7 d8 d9"), ("?environment=production", "d1 d3 d5 d7 d9"),
        ("?environment=production,staging&pageSize=2", "d0 d1"),
        ("?filter=environment=production", "d1 d3 d5 d7 d9"),
        ("?filter=environment%3D(production%7Cstaging)%20AND%20name:3", "d3"),
        ("?filter=scaling_config.max_replicas%3E=9", "d7 d8 d9"),
        ("?filter=spec.scalingConfig.maxReplicas%3C4", "d0 d1"),
        ("?filter=name!=d0&pageSize=1", "d1"), ("?filter=status=failed", ""),
        ("?status=healthy&pageSize=1", "d0"), ("?status=failed,stopped", ""), ("?active=false", ""),
        ("?active=true&pageSize=1", "d0"), ("?model=none", ""),
        ("?orderBy=name%20desc&pageSize=2", "d9 d8"),
        ("?orderBy=environment&pageSize=3", "d1 d3 d5"),
        ("?orderBy=spec.scaling_config.max_replicas+desc&pageSize=2", "d9 d8"),
        ("?order_by=name%20desc&page_size=1", "d9"), ("?pageSize=0&filter=name=d4", "d4"),
        ("?pageSize=100000", "d0 d1 d2 d3 d4 d5 d6 d7 d8 d9"),
    ])
    func `what is asked for is what comes`(query: String, expected: String) async throws {
        #expect(try await names(try await port(), query).joined(separator: " ") == expected)
    }

    @Test(arguments: [
        "?filter=name", "?filter=%3Dx", "?filter=name~x", "?orderBy=a%20b%20c", "?orderBy=",
        "?pageSize=-1", "?pageSize=x", "?pageToken=nonsense", "?active=maybe", "?fitler=x",
        "?pageSize=1&pageSize=2", "?filter=%FF", "?orderBy=nosuch", "?orderBy=.", "?fields=nosuch",
        "?fields=.", "?fields=name", "?fields=metadata.nosuch", "?filter=nosuch=1",
        "?filter=metadata.nosuch=1", "?filter=name.x=1", "?filter=name=(", "?filter=name=()",
        "?filter=name=(a", "?filter=name=(a|)", "?filter=name=%22c01", "?filter=name=a%22b%22",
        "?filter=name=c01%20OR%20name=c02", "?filter=name=c01%20c02", "?pageToken=",
        "?status=heathy", "?environment=moon",
    ])
    func `what cannot be read is refused`(query: String) async throws {
        let answer = await (try ControlPort()).send("GET", "/v1/deployments\(query)")
        #expect(answer.status == 400, "\(answer.text)")
    }

    @Test func `a field that is not there is told with those that are`() async throws {
        let port = try await ControlPort()
        let near = await port.send("GET", "/v1/deployments?orderBy=scaling_confg.max_replicas")
        #expect(try near.problem() == "UNKNOWN_FIELD")
        let slip = await port.send("GET", "/v1/deployments?fields=metadata.nam")
        #expect(slip.text.contains("did you mean 'metadata.name'?"))
        let all = await port.send("GET", "/v1/tokens?filter=x=1")
        #expect(all.text.contains("there is: kind, id, note"), "\(all.text)")
        for path in ["operations", "models", "tokens", "secrets", "configs", "audit", "events"] {
            let answer = await port.send("GET", "/v1/\(path)?pageToken=")
            #expect(answer.status == 400, "\(path)")
        }
    }

    @Test(arguments: [
        "metadata.labels.team=a", "labels.team=a", "spec.env.A=b", "spec.resources.cpu%3E=1",
        "status.replicas.ready%3E0", "replicas.ready=0", "name=(%22a%20b%22|c)", "description=",
    ])
    func `what a deployment may have can be asked for`(filter: String) async throws {
        let answer = await (try await port()).send("GET", "/v1/deployments?filter=\(filter)")
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test(arguments: [
        "", "&orderBy=created_at%20desc", "&orderBy=action", "&filter=deployment=iris",
    ])
    func `pages of operations fit together in every order`(order: String) async throws {
        let port = try await ControlPort.withIris()
        for _ in 0..<5 { _ = await port.send("POST", "/v1/deployments/iris:restart") }
        let all = try await port.control.operations(of: nil).map(\.id)
        var (seen, token) = ([String](), "")
        repeat {
            let page = try await port.send(
                "GET", "/v1/operations?pageSize=2\(order)\(token)&fields=id"
            ).json()
            #expect(page["total_size"]?.whole == Int64(all.count))
            seen += page["operations"]?.list.compactMap { $0["id"]?.text } ?? []
            #expect(page["operations"]?.list.allSatisfy { $0.members?.count == 1 } == true)
            let next = page["next_page_token"]?.text ?? ""
            token = next.isEmpty ? "" : "&pageToken=\(next)"
        } while !token.isEmpty && seen.count < 20
        #expect(seen.sorted() == all.sorted())
    }

    @Test func `pages fit together, whatever comes and goes`() async throws {
        let port = try await port()
        var seen: [String] = []
        var token = ""
        repeat {
            let answer = try await port.send(
                "GET", "/v1/deployments?pageSize=3\(token.isEmpty ? "" : "&pageToken=\(token)")"
            ).json()
            seen +=
                answer["deployments"]?.list.compactMap {
                    $0[path: ["metadata", "name"]]?.text
                } ?? []
            token = answer["next_page_token"]?.text ?? ""
            if seen.count == 3 {
                _ = await port.send("DELETE", "/v1/deployments/d1", "", ["if-match": "*"])
                _ = await port.send("DELETE", "/v1/deployments/d5", "", ["if-match": "*"])
            }
        } while !token.isEmpty
        #expect(seen.joined(separator: " ") == "d0 d1 d2 d3 d4 d6 d7 d8 d9")
    }

    @Test func `a token is good for its own question only`() async throws {
        let port = try await port()
        let first = try await port.send("GET", "/v1/deployments?pageSize=1").json()
        let token = try #require(first["next_page_token"]?.text)
        #expect(!token.isEmpty && first["total_size"] == 10)
        let other = await port.send(
            "GET", "/v1/deployments?pageToken=\(token)&filter=name=d1")
        #expect(try other.problem() == "INVALID_PAGE_TOKEN")
        let forged = await port.send("GET", "/v1/deployments?pageToken=\(token)x")
        #expect(try forged.problem() == "INVALID_PAGE_TOKEN")
    }

    @Test func `only the fields asked for are told`() async throws {
        let answer = try await (try await port()).send(
            "GET", "/v1/deployments?fields=metadata.name,status.status&pageSize=1"
        ).json()
        #expect(
            answer["deployments"]?.list.first?.compact
                == #"{"metadata":{"name":"d0"},"status":{"status":"healthy"}}"#)
    }

    @Test func `a token sees what it may read`() async throws {
        let port = try await port()
        let viewer = try await port.token(.viewer, in: ["staging"])
        #expect(try await names(port, "", token: viewer) == ["d0", "d2", "d4", "d6", "d8"])
        #expect(await port.send("GET", "/v1/deployments/d1", token: viewer).status == 403)
        #expect(await port.send("GET", "/v1/deployments/none", token: viewer).status == 404)
    }
}

@Suite struct RenderedDeploymentTests {
    @Test func `a list tells every deployment as it is now, changed ones too`() async throws {
        let port = try await ControlPort.withIris()
        let second = ControlPort.least.replacing(#""name": "iris""#, with: #""name": "rose""#)
        _ = await port.send("POST", "/v1/deployments", second)
        for replicas in [3, 4] {
            for target in ["/v1/deployments", "/v1/deployments?fields=status,spec,metadata,kind"] {
                let rows = try await port.send("GET", target).json()["deployments"]?.list ?? []
                for row in rows {
                    let name = row[path: ["metadata", "name"]]?.text ?? ""
                    let alone = try await port.send("GET", "/v1/deployments/\(name)").json()
                    #expect(row.canonical == alone.canonical)
                }
                #expect(rows.count == 2)
            }
            let body = "{\"replicas\": \(replicas)}"
            _ = await port.send("POST", "/v1/deployments/iris:scale", body)
        }
        _ = await port.send("DELETE", "/v1/deployments/iris", "", ["if-match": "*"])
        let left = try await port.send("GET", "/v1/deployments").json()
        #expect(left["total_size"] == 1 && left["deployments"]?.list.count == 1)
    }
}
