// Flags come from the field table, and what people type becomes the documents the API takes.
// No list of fields stands here: the table itself is gone through.

import Console
import Deployments
import Notation
import Testing

struct FieldFlagsTests {
    @Test func `every field has a flag, and no two have the same`() {
        let names = FieldFlags.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
        #expect(FieldFlags.all.map(\.field.name) == DeploymentFields.all.map(\.name))
        #expect(FieldFlags.all.allSatisfy { !$0.names.isEmpty })
    }

    @Test func `no field is hidden by an option that every change has`() {
        let taken: Set = [
            "set", "file", "dry-run", "wait", "no-wait", "timeout", "on-conflict", "json",
            "server", "config", "state", "help", "reason", "unset", "force", "if-version",
            "revision", "to", "name",
        ]
        let names = FieldFlags.all.filter { $0.field.name != "name" }.flatMap(\.names)
        #expect(taken.intersection(names).isEmpty)
    }

    @Test(arguments: [
        (["--cpu", "2"], ["--set", "resources.cpu=2"]),
        (["--resources.cpu=2"], ["--set", "resources.cpu=2"]),
        (
            ["iris", "--min-replicas", "3", "--dry-run"],
            ["iris", "--set", "scaling_config.min_replicas=3", "--dry-run"]
        ),
        (
            ["--sticky-sessions", "--json"],
            ["--set", "load_balancer.sticky_sessions=true", "--json"]
        ),
        (["--sticky-sessions", "false"], ["--set", "load_balancer.sticky_sessions=false"]),
        (["--strategy", "rolling"], ["--set", "strategy.type=rolling"]),
        (["--replicas", "2"], ["--set", "replicas=2"]),
        (["--label", "a=b"], ["--set", "labels=a=b"]),
        (["--", "run", "--cpu", "2"], ["--", "run", "--cpu", "2"]),
        (["--cpu"], ["--cpu"]), (["--timeout", "5s"], ["--timeout", "5s"]),
    ])
    func `a flag of a field is a setting of it`(typed: [String], meant: [String]) {
        #expect(FieldFlags.expanded(typed) == meant)
    }

    private func document(_ texts: String...) throws -> String {
        FieldEdit.document(try texts.map { try FieldEdit($0) }).compact
    }

    @Test func `values are what their field wants`() throws {
        #expect(try document("version=2") == #"{"version":"2"}"#)
        #expect(try document("cpu=0.5", "gpu=1") == #"{"resources":{"cpu":0.5,"gpu":1}}"#)
        #expect(try document("memory=1GiB") == #"{"resources":{"memory":"1GiB"}}"#)
        #expect(try document("memory_gb=2") == #"{"resources":{"memory_gb":2}}"#)
        #expect(try document("enable_monitoring=false") == #"{"enable_monitoring":false}"#)
    }

    @Test func `maps and lists grow with each mention`() throws {
        #expect(
            try document("env.A=1", "env=B=x=y", "labels.a/b=c", "label.d.e=f")
                == #"{"env":{"A":"1","B":"x=y"},"labels":{"a/b":"c","d.e":"f"}}"#)
        #expect(try document("args=--threads", "args=2") == #"{"args":["--threads","2"]}"#)
        #expect(try document(#"args=["a b"]"#) == #"{"args":["a b"]}"#)
        #expect(try document("args=[]") == #"{"args":[]}"#)
    }

    @Test func `a command is split as a shell would`() throws {
        #expect(
            try document(#"command=serve --name 'a b' "c\"d" e\ f ''"#)
                == #"{"command":["serve","--name","a b","c\"d","e f",""]}"#)
    }

    @Test func `a removal is a null`() throws {
        let edits = [try FieldEdit.removal("env.A"), try FieldEdit.removal("owner")]
        #expect(FieldEdit.document(edits).compact == #"{"env":{"A":null},"owner":null}"#)
    }

    @Test(arguments: [
        ("memry=1", "there is no field 'memry'; did you mean 'resources.memory'?"),
        ("strategy.steps=1", "'strategy.steps' is not supported yet"),
        ("memory", "'memory' is no setting; write FIELD=VALUE, such as resources.cpu=2"),
        ("env=A", "'A' is no entry of 'env'; write KEY=VALUE"),
        (
            "resources.memory.x=1",
            "there is no field 'resources.memory.x'; did you mean 'resources.memory'?"
        ),
    ])
    func `what is no setting is told`(text: String, message: String) {
        let fault = #expect(throws: FieldEdit.Fault.self) { try FieldEdit(text) }
        #expect(fault?.description == message)
    }

    @Test func `every example of the table can be typed`() throws {
        for field in DeploymentFields.all {
            let example = field.example.text ?? field.example.compact
            let edit = try FieldEdit("\(field.name)=\(example)")
            #expect(edit.value == field.example, "\(field.name)")
        }
    }
}
