// The document and the schema say what the table says. When a field changes, the failing test
// prints what docs/deployments.md must hold.

import Deployments
import Foundation
import Notation
import Testing

@Suite struct FieldReferenceTests {
    private static let document = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/deployments.md")

    @Test func `the document holds the table as it is`() throws {
        let text = try String(contentsOf: Self.document, encoding: .utf8)
        let table = FieldReference.markdown
        #expect(text.contains("<!-- fields -->\n\(table)\n<!-- end of fields -->"), "\(table)")
        let sizes = FieldReference.catalogue(.standard)
        #expect(text.contains(sizes), "\(sizes)")
    }

    @Test func `the example of the document is accepted`() throws {
        let spec = try Specs.with(
            #"{"artifact": "/a", "scaling_config": {"min_replicas": 2, "max_replicas": 4}}"#)
        #expect(spec.scaling.maxReplicas == 4)
    }

    @Test func `every field is explained in a sentence and has an example`() {
        for field in DeploymentFields.all {
            #expect(field.explanation.hasSuffix("."), "\(field.name)")
            #expect(field.explanation.first?.isUppercase == true, "\(field.name)")
            #expect(field.example != .null, "\(field.name)")
        }
        #expect(Set(DeploymentFields.all.map(\.name)).count == DeploymentFields.all.count)
    }

    @Test func `a deployment has no property that is not in the table`() throws {
        let spec = try Specs.with("{}")
        // One row for each stored value: grouped structures count their own.
        let grouped: Set = [
            "resources", "scaling", "loadBalancer", "strategy", "lifecycle", "objective",
        ]
        var properties = 0
        for child in Mirror(reflecting: spec).children {
            let isGroup = grouped.contains(child.label ?? "")
            properties += isGroup ? Mirror(reflecting: child.value).children.count : 1
        }
        #expect(properties == DeploymentFields.all.count)
    }

    @Test(arguments: [SpecSchema.Purpose.shown, .create, .patch])
    func `the schema has every field with its class and no more`(purpose: SpecSchema.Purpose) {
        let schema = SpecSchema.object(purpose)
        for field in DeploymentFields.all {
            let path = field.path.flatMap { ["properties", $0] }
            let property = schema[path: path]
            #expect(property?["x-penstock-edit"]?.text == field.edit.rawValue, "\(field.name)")
            #expect(property?["description"]?.text == field.explanation)
        }
        #expect(schema["additionalProperties"] == false)
        #expect(
            schema["required"]
                == (purpose == .patch ? nil : .texts(["name", "model", "version", "command"])))
    }

    @Test func `a patch's schema lets go of what is not required`() {
        let schema = SpecSchema.object(.patch)
        #expect(schema[path: ["properties", "owner", "type"]] == .texts(["string", "null"]))
        #expect(schema[path: ["properties", "name", "type"]] == "string")
        #expect(schema[path: ["properties", "slo", "type"]] == .texts(["object", "null"]))
        let values = schema[path: ["properties", "env", "additionalProperties", "type"]]
        #expect(values == .texts(["string", "null"]))
    }
}
