// Revisions: what is in them and what is not, digests that stay, differences in words, and going
// back without shrinking the fleet.

import Deployments
import Foundation
import Notation
import Testing
import Traffic

@Suite struct RevisionTests {
    private func revision(_ number: Int, _ spec: DeploymentSpec, sha256: String? = nil) -> Revision
    {
        var facts = ResolvedFacts()
        facts.artifact = sha256.map {
            ArtifactRecord(
                model: spec.model, version: spec.version, path: "/a", isDirectory: false,
                sha256: $0, bytes: 1, files: 1)
        }
        return Revision(
            number: number, kind: .create, content: RevisionContent(of: spec, facts: facts),
            strategy: spec.strategy, createdAt: Date(timeIntervalSince1970: 0), createdBy: "me")
    }

    @Test func `live fields are in no revision`() throws {
        let spec = try Specs.with("{}")
        var edited = spec
        edited.scaling.maxReplicas = 9
        edited.loadBalancer.algorithm = .ipHash
        edited.description = "other"
        #expect(RevisionContent(of: spec).digest == RevisionContent(of: edited).digest)
        #expect(RevisionContent(of: spec).document["scaling_config"] == nil)
    }

    @Test func `whatever makes replicas what they are changes the digest`() throws {
        let digest = RevisionContent(of: try Specs.with("{}")).digest
        for field in DeploymentFields.all where field.belongsToRevision {
            var document = try Specs.json(Specs.least)
            if field.name == "instance_type" { document = document.setting("resources", to: nil) }
            var example = field.example
            if field.name == "model" { example = "rose" }
            if field.name == "version" { example = "v2" }
            if field.name == "resources.cpu" { example = 2 }
            if field.name == "resources.memory" { example = "1GiB" }
            let spec = try SpecReader().read(document.setting(path: field.path, to: example))
            #expect(RevisionContent(of: spec).digest != digest, "\(field.name)")
        }
        let other = revision(1, try Specs.with("{}"), sha256: "ab")
        #expect(other.content.digest != digest)
    }

    @Test func `the canonical digest is what it always was`() throws {
        let content = RevisionContent(
            of: try Specs.with(#"{"env": {"B": "2", "A": "1"}, "resources": {"gpu": 1}}"#))
        #expect(
            String(decoding: content.document.canonical, as: UTF8.self)
                == #"{"args":[],"command":["penstock-model","--listen","{address}"],"configs":[],"#
                + #""env":{"A":"1","B":"2"},"environment":"development","model":"iris","#
                + #""name":"iris","resources":{"cpu":1,"gpu":1,"memory":536870912},"#
                + #""secrets":{},"version":"v1"}"#
        )
        #expect(
            content.digest
                == "2090ea0cc6cd0c11d82998ab9c3fee6f09752529b8404221d45bf9763fcbf53e")
    }

    @Test func `a revision survives its store as it is`() throws {
        let spec = try Specs.with(
            #"{"strategy": {"type": "rolling", "max_surge": "50%"}, "secrets": {"T": "t#1"}}"#)
        let revision = revision(3, spec, sha256: "ab")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(revision)
        #expect(try JSONDecoder().decode(Revision.self, from: data) == revision)
        let stored = try JSONDecoder().decode(DeploymentSpec.self, from: encoder.encode(spec))
        #expect(stored == spec)
    }

    @Test func `a strategy that was stored and never took effect is read as what ran`() throws {
        let stored = try Specs.json(Specs.least).setting(
            "strategy", to: Specs.json(#"{"type": "canary", "steps": [1, 100], "max_surge": 2}"#))
        let data = Data(stored.compact.utf8)
        let spec = try JSONDecoder().decode(DeploymentSpec.self, from: data)
        #expect(spec.strategy.kind == .rolling && spec.strategy.maxSurge == .count(2))
    }

    @Test func `a stored spec is read also when the catalogue has changed since`() throws {
        let spec = try Specs.with(#"{"instance_type": "cpu.large", "resources": null}"#)
        var renamed = spec
        renamed.instanceType = "cpu.gone"
        let data = try JSONEncoder().encode(renamed)
        #expect(try JSONDecoder().decode(DeploymentSpec.self, from: data) == renamed)
    }

    @Test func `going back takes the old content and leaves the fleet as large as it is`() throws {
        let old = try Specs.with(#"{"env": {"A": "1"}, "scaling_config": {"max_replicas": 2}}"#)
        var now = old
        now.version = "v2"
        now.variables = ["A": "2", "B": "3"]
        now.scaling.minReplicas = 6
        now.scaling.maxReplicas = 12
        now.owner = "somebody else"
        let back = try revision(1, old).content.applied(to: now)
        #expect(back.version == "v1" && back.variables == ["A": "1"])
        #expect(back.scaling.minReplicas == 6 && back.scaling.maxReplicas == 12)
        #expect(back.owner == "somebody else")
    }

    @Test func `a difference names fields, keys and files`() throws {
        let old = try Specs.with(#"{"env": {"A": "1", "B": "2"}, "concurrency": 3}"#)
        var new = old
        new.variables = ["A": "1", "C": "3"]
        new.version = "v2"
        new.concurrency = 4
        let list = revision(1, old, sha256: "aa").difference(to: revision(2, new, sha256: "bb"))
        #expect(list.map(\.path) == ["version", "env.B", "env.C", "artifact.sha256"])
        #expect(list[1].from == "2" && list[1].to == nil)
        #expect(list[0].edit == .viaUpdateModel)
    }
}
