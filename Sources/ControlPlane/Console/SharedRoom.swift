// Whether changes that fit one by one fit together: each is planned by itself, but files are
// applied as a whole. Reads the plans and the host as the admin API tells them.

import Deployments
package import Notation

package struct SharedRoom {
    private struct Need {
        var replicas: Int64
        var memoryBytes: Int64
        var gpus: Int64
        var gpuType: String?

        /// Nil when it wants no more than it has.
        init?(_ answer: JSONValue) {
            let (plan, resources) = (answer["plan"], answer[path: ["spec", "resources"]])
            let peak = plan?[path: ["replicas", "peak"]]?.whole ?? 0
            replicas = peak - (plan?[path: ["replicas", "now"]]?.whole ?? 0)
            memoryBytes = resources?["memory"]?.whole ?? 0
            gpus = resources?["gpu"]?.whole ?? 0
            gpuType = resources?["gpu_type"]?.text
            if replicas <= 0 { return nil }
        }
    }

    private let freeBytes: Int64?
    /// The type of each GPU that no replica has.
    private let freeGPUs: [String]

    /// - Parameter node: as `GET /v1/nodes` lists it.
    package init(node: JSONValue) {
        let bytes = node[path: ["memory", "bytes"]]?.whole ?? 0
        let taken = node[path: ["memory", "taken"]]?.whole ?? 0
        freeBytes = bytes > 0 ? max(0, bytes - taken) : nil
        freeGPUs = (node["gpus"]?.list ?? []).filter { $0["replica"] == nil }
            .map { $0["type"]?.text ?? "" }
    }

    /// Why they do not fit together; nil when they do.
    ///
    /// - Parameter answers: of dry runs, each with its spec and its plan.
    package func refusal(of answers: [JSONValue]) -> String? {
        let needs = answers.compactMap { Need($0) }
        return needs.count > 1 ? memoryRefusal(needs) ?? gpuRefusal(needs) : nil
    }

    private func memoryRefusal(_ needs: [Need]) -> String? {
        // In bytes of a real host each product fits; what one alone may ask for is bounded.
        let wanted = needs.reduce(0.0) { $0 + Double($1.memoryBytes) * Double($1.replicas) }
        guard let freeBytes, wanted > Double(freeBytes) else { return nil }
        return "together they want \(Words.bytes(wanted)) of memory more; "
            + "\(Words.bytes(Double(freeBytes))) are free"
    }

    /// For each type that is wanted, and for all together.
    private func gpuRefusal(_ needs: [Need]) -> String? {
        for type in Set(needs.compactMap(\.gpuType)).sorted() {
            let free = freeGPUs.count { GPUType.isSame(type, $0) }
            let wanted = needs.filter { $0.gpuType == type }.reduce(0) {
                $0 + $1.gpus * $1.replicas
            }
            if wanted > free { return "together they want \(wanted) × \(type); \(free) are free" }
        }
        let wanted = needs.reduce(0) { $0 + $1.gpus * $1.replicas }
        return wanted > freeGPUs.count
            ? "together they want \(wanted) GPUs; \(freeGPUs.count) are free" : nil
    }
}
