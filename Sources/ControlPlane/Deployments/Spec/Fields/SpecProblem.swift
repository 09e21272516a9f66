// What is wrong with a document, place by place. Reading goes on after a fault, so that one answer
// tells them all; nothing is applied while there is one.

package import Notation

package struct SpecProblem: Sendable, Hashable, Codable {
    /// RFC 6901, with the names as they were sent.
    package var pointer: String
    package var code: Code
    /// Names the field and what is allowed.
    package var message: String

    package enum Code: String, Sendable, Codable, CaseIterable {
        case missing = "MISSING"
        case wrongType = "WRONG_TYPE"
        case outOfRange = "OUT_OF_RANGE"
        case tooLong = "TOO_LONG"
        case tooMany = "TOO_MANY"
        case invalid = "INVALID_VALUE"
        case unknownField = "UNKNOWN_FIELD"
        case readOnly = "READ_ONLY"
        case duplicate = "DUPLICATE"
        case conflict = "CONFLICT"
        case notSupported = "NOT_SUPPORTED_YET"
        case immutable = "FIELD_IMMUTABLE"
        case useUpdateModel = "USE_UPDATE_MODEL"
    }

    package init(pointer: JSONPointer, code: Code, message: String) {
        self.pointer = pointer.description
        self.code = code
        self.message = message
    }
}

/// Why a document is no deployment.
package struct SpecProblems: Error, Sendable, Equatable, CustomStringConvertible {
    package var problems: [SpecProblem]
    /// What to do instead, where there is one thing to do.
    package var hint: String?

    package init(_ problems: [SpecProblem], hint: String? = nil) {
        self.problems = problems
        self.hint = hint
    }

    package var description: String {
        problems.map { problem in
            problem.pointer.isEmpty ? problem.message : "\(problem.pointer): \(problem.message)"
        }.joined(separator: "; ")
    }
}

/// The faults of one reading.
package final class Faults {
    package private(set) var problems: [SpecProblem] = []
    var hint: String?

    package init() {}

    package func add(_ code: SpecProblem.Code, _ message: String, at pointer: JSONPointer) {
        guard problems.count < Limits.problems else { return }
        let problem = SpecProblem(pointer: pointer, code: code, message: message)
        // One value can stand for two fields; once is enough.
        if problem.pointer == problems.last?.pointer, code == problems.last?.code { return }
        problems.append(problem)
    }

    func throwIfAny() throws(SpecProblems) {
        if !problems.isEmpty { throw SpecProblems(problems, hint: hint) }
    }
}

/// Where a value stands, and where its faults go.
package struct Place {
    package let pointer: JSONPointer
    package let faults: Faults
    package let context: SpecContext

    package init(pointer: JSONPointer, faults: Faults, context: SpecContext) {
        self.pointer = pointer
        self.faults = faults
        self.context = context
    }

    package func refuse(_ code: SpecProblem.Code, _ message: String) {
        faults.add(code, message, at: pointer)
    }

    package func wrongType(_ value: JSONValue, wanted: String) {
        refuse(.wrongType, "\(value.kind) where \(wanted) is expected")
    }

    package func child(_ name: String) -> Place {
        Place(pointer: pointer.child(name), faults: faults, context: context)
    }

    package func child(_ index: Int) -> Place { child(String(index)) }
}
