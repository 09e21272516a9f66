// What stands in the places of a command, and the environment a replica gets: what Penstock sees
// but its own secrets, then what the deployment sets, then who the replica is. Pure.

/// Known only once a run is about to start.
package struct RunPlaces: Sendable, Equatable {
    package var address: ReplicaAddress
    /// Empty when it has none.
    package var gpus: [String]
    /// Whether GPUs are given out here at all.
    package var assignsGPUs: Bool

    package init(address: ReplicaAddress, gpus: [String] = [], assignsGPUs: Bool = false) {
        self.address = address
        self.gpus = gpus
        self.assignsGPUs = assignsGPUs
    }
}

extension ReplicaSpec {
    package func filled(_ text: String, _ places: RunPlaces) -> String {
        var values = [
            "address": places.address.description, "artifact": artifact ?? "", "name": name,
            "replica": name, "deployment": deployment, "revision": "\(revision)", "model": model,
            "version": version, "gpus": places.gpus.joined(separator: ","),
        ]
        if case .tcp(let host, let port) = places.address {
            values["host"] = host
            values["port"] = "\(port)"
        }
        return Self.fill(text, values)
    }

    package func variables(
        inherited: [String: String], _ places: RunPlaces
    ) -> [String: String] {
        var variables = inherited.filter {
            !$0.key.hasPrefix("PENSTOCK_") && $0.key != "NOTIFY_SOCKET"
        }
        variables.merge(environment.mapValues { filled($0, places) }) { $1 }
        variables["PENSTOCK_ADDRESS"] = places.address.description
        variables["PENSTOCK_DEPLOYMENT"] = deployment
        variables["PENSTOCK_REPLICA"] = name
        variables["PENSTOCK_REVISION"] = "\(revision)"
        variables["PENSTOCK_MODEL"] = model
        variables["PENSTOCK_MODEL_VERSION"] = version
        variables["PENSTOCK_VERSION"] = version
        variables["PENSTOCK_ARTIFACT"] = artifact
        if case .tcp(let host, let port) = places.address {
            variables["PENSTOCK_HOST"] = host
            variables["PENSTOCK_PORT"] = "\(port)"
        }
        if places.assignsGPUs {
            // Also without any: it would otherwise use those of others.
            variables["CUDA_VISIBLE_DEVICES"] = places.gpus.joined(separator: ",")
            variables["PENSTOCK_GPUS"] = places.gpus.joined(separator: ",")
        }
        return variables
    }

    /// One pass, so that a value that looks like a place stays as it is. Unknown places stay, too:
    /// a command may hold JSON.
    private static func fill(_ text: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            rest = rest[open...]
            let inner = rest.dropFirst().prefix { $0 != "}" && $0 != "{" }
            if inner.endIndex < rest.endIndex, rest[inner.endIndex] == "}",
                let value = values[String(inner)]
            {
                result += value
                rest = rest[rest.index(after: inner.endIndex)...]
            } else {
                result += "{"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}
