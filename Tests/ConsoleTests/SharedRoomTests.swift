// Changes that fit one by one: when they do not fit together, and when they do.

import Console
import Notation
import Testing

@Suite struct SharedRoomTests {
    private let room = SharedRoom(
        node: .object([
            "memory": .object(["bytes": 1000, "taken": 400]),
            "gpus": .array([
                .object(["id": "0", "type": "NVIDIA T4"]),
                .object(["id": "1", "type": "NVIDIA T4"]),
                .object(["id": "2", "type": "NVIDIA A100", "replica": "iris-0"]),
            ]),
        ]))

    private func answer(
        _ replicas: JSONValue, memory: JSONValue = 0, gpu: JSONValue = 0, type: JSONValue? = nil
    ) -> JSONValue {
        let resources = JSONValue.object(["memory": memory, "gpu": gpu, "gpu_type": type])
        return .object([
            "spec": .object(["resources": resources]),
            "plan": .object(["replicas": .object(["now": 1, "peak": replicas])]),
        ])
    }

    @Test func `memory of all is counted against what is free`() {
        #expect(room.refusal(of: [answer(3, memory: 100), answer(5, memory: 100)]) == nil)
        let refusal = room.refusal(of: [answer(3, memory: 100), answer(6, memory: 100)])
        #expect(refusal?.contains("together they want 700 B of memory more") == true)
    }

    @Test func `GPUs of a type are counted by any of its names`() {
        let one = answer(2, gpu: 1, type: "T4")
        #expect(room.refusal(of: [one, one]) == nil)
        #expect(
            room.refusal(of: [one, one, one]) == "together they want 3 × T4; 2 are free")
    }

    @Test func `GPUs of any type are those that nobody has`() {
        let one = answer(2, gpu: 1)
        #expect(room.refusal(of: [one, one]) == nil)
        #expect(room.refusal(of: [one, one, one]) == "together they want 3 GPUs; 2 are free")
    }

    @Test func `one alone has been judged, and what wants nothing more does not count`() {
        #expect(room.refusal(of: [answer(100, memory: 100)]) == nil)
        #expect(room.refusal(of: [answer(100, memory: 100), answer(1, memory: 100)]) == nil)
    }
}
