// Splits and drains: read, set, taken back. A change answers once every worker has it.
// What is refused changes nothing, on disk or on the loops.

import Deployments
import Notation
import State
import Traffic

extension AdminAPI {
    func traffic(of name: String) async throws -> AdminResponse {
        let plan = try await loadedPlan()
        return try await traffic(of: name, generation: plan.generation)
    }

    func putTraffic(
        of name: String, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        let service = try service(name, in: try await loadedPlan())
        let weights = try TrafficBody.weights(call.request.body, for: service)
        if isDryRun {
            let plan = try await director.trying(.shift(service: name, weights))
            return .json(Self.traffic(try self.service(name, in: plan), plan, source: "api", nil))
        }
        let generation = try await director.shift(service: name, to: weights, by: call.actor)
        return try await traffic(of: name, generation: generation)
    }

    func deleteTraffic(
        of name: String, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        if isDryRun {
            let plan = try await director.trying(.clear(service: name))
            let source = await writtenSource(of: name)
            return .json(Self.traffic(try service(name, in: plan), plan, source: source, nil))
        }
        let generation = try await director.clearShift(service: name, by: call.actor)
        return try await traffic(of: name, generation: generation)
    }

    func drain(
        _ name: String, _ address: String, _ isDrained: Bool, _ call: AdminCall, isDryRun: Bool
    ) async throws -> AdminResponse {
        let generation: UInt64
        if isDryRun {
            generation = try await director.trying(
                .drain(service: name, address: address, isDrained)
            ).generation
        } else {
            generation = try await director.setDrained(
                service: name, address: address, isDrained, by: call.actor)
        }
        let answer = JSONValue.object([
            "generation": .count(generation), "service": .string(name),
            "address": .string(NetworkAddress(address)?.description ?? address),
            "drained": .bool(isDrained),
        ])
        return .json(answer.marked(isDryRun))
    }

    private func writtenSource(of name: String) async -> String {
        await director.managedNames().contains(name) ? "deployment" : "file"
    }

    /// As it would be after a change that is only tried.
    private static func traffic(
        _ service: ServicePlan, _ plan: TrafficPlan, source: String, _ setAt: JSONValue?
    ) -> JSONValue {
        JSONValue.object([
            "generation": .count(plan.generation), "service": .string(service.name),
            "traffic": service.trafficJSON, "source": .string(source), "set_at": setAt,
        ]).marked(true)
    }

    private func traffic(of name: String, generation: UInt64) async throws -> AdminResponse {
        let service = try service(name, in: try await loadedPlan())
        let override = await director.override(of: name)
        let source = override != nil ? "api" : await writtenSource(of: name)
        return .json(
            .object([
                "generation": .count(generation), "service": .string(name),
                "traffic": service.trafficJSON,
                "source": .string(source),
                "set_at": override.map { .time($0.createdAt) },
            ]))
    }
}

/// The body of a split: percent in steps of 0.1 by revision, 100 in all.
enum TrafficBody {
    private static let example = #"{"stable": 90, "canary": 10}"#

    /// Every wrong member is named, not only the first.
    static func weights(
        _ body: [UInt8], for service: ServicePlan
    ) throws(Problem) -> [String: Int] {
        guard case .object(let members) = try parsed(body) else {
            throw invalid([
                .init(pointer: "", code: "WRONG_TYPE", message: "must be an object: \(example)")
            ])
        }
        let known = service.revisions.map(\.name)
        var parts: [Problem.Part] = []
        var weights: [String: Int] = [:]
        for member in members {
            if !known.contains(member.name) {
                let message = "no such revision; there is: \(known.joined(separator: ", "))"
                parts.append(.member(member.name, "UNKNOWN_REVISION", message))
                continue
            }
            switch thousandths(member) {
            case .success(let weight): weights[member.name] = weight
            case .failure(let error): parts.append(error.part)
            }
        }
        let sum = weights.values.reduce(0, +)
        if parts.isEmpty, sum != 1000 {
            let message = "the shares sum to \(Double(sum) / 10); they must sum to 100"
            parts.append(.init(pointer: "", code: "SUM_NOT_100", message: message))
        }
        guard parts.isEmpty else { throw invalid(parts) }
        return weights
    }

    private static func parsed(_ body: [UInt8]) throws(Problem) -> JSONValue {
        do {
            return try JSONReader.read(body)
        } catch {
            throw Problem(
                status: 400, code: "INVALID_JSON",
                detail: "line \(error.line), column \(error.column): \(error.reason)",
                hint: "send \(example)")
        }
    }

    private struct WrongMember: Error {
        var part: Problem.Part
    }

    private static func thousandths(
        _ member: JSONValue.Member
    ) -> Result<Int, WrongMember> {
        let percent: Double
        switch member.value {
        case .integer(let value): percent = Double(value)
        case .number(let value): percent = value
        default:
            return .failure(
                .init(part: .member(member.name, "WRONG_TYPE", "must be a number, percent")))
        }
        guard (0...100).contains(percent) else {
            return .failure(
                .init(part: .member(member.name, "OUT_OF_RANGE", "allowed: 0 to 100")))
        }
        let scaled = percent * 10
        // 33.3 is no sum of powers of two; what was meant is a tenth if it is this near to one.
        guard abs(scaled - scaled.rounded()) < 1e-6 else {
            return .failure(
                .init(part: .member(member.name, "NOT_A_TENTH", "allowed: steps of 0.1")))
        }
        return .success(Int(scaled.rounded()))
    }

    private static func invalid(_ parts: [Problem.Part]) -> Problem {
        let first = parts.first.map { "\($0.pointer) \($0.message)" } ?? ""
        return Problem(
            status: 422, code: "INVALID_TRAFFIC",
            detail: first.trimmingPrefix(" ").description,
            hint: "shares are percent in steps of 0.1 and replace the whole split: \(example)",
            parts: parts)
    }
}
