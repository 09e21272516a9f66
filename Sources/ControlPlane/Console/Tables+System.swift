// Tables of what is not a deployment: models, tokens, the audit trail, the places replicas run in.
// Read leniently, as all tables are.

package import Notation

extension Tables {
    package static func models(_ items: [JSONValue]) -> TextTable {
        var table = TextTable("MODEL", "LATEST", "VERSIONS")
        for item in items {
            let versions = (item["versions"]?.list ?? []).compactMap(\.text)
            table.add(
                .init(name(item), .bold), .init(item["latest"]?.text ?? ""),
                .init(versions.joined(separator: " ")))
        }
        return table
    }

    package static func versions(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable("VERSION", "AGE", "SIZE", "SHA256", "BY", "ARTIFACT", "DESCRIPTION")
        for item in items {
            let artifact = item["artifact"]
            table.add(
                .init(item["version"]?.text ?? "?", .bold),
                .init(Words.age(of: item["registered_at"], at: now)),
                .init(artifact?["bytes"]?.number.map(Words.bytes) ?? ""),
                .init(String((artifact?["sha256"]?.text ?? "").prefix(12)), .dim),
                .init(Words.actor(item["registered_by"])), .init(artifact?["path"]?.text ?? ""),
                .init(item["description"]?.text ?? ""))
        }
        return table
    }

    /// Secrets or configs.
    package static func variables(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable("NAME", "ENVIRONMENT", "VERSION", "SET", "BY", "DESCRIPTION")
        for item in items {
            let newest = item["versions"]?.list.first
            table.add(
                .init(item["name"]?.text ?? "?", .bold), .init(text(item["environment"])),
                .init("\(item["version"]?.whole ?? 0)"),
                .init(Words.age(of: newest?["created_at"], at: now)),
                .init(text(newest?["created_by"])), .init(text(item["description"])))
        }
        return table
    }

    package static func tokens(_ items: [JSONValue], at now: Double) -> TextTable {
        var table = TextTable("TOKEN", "ROLES", "STATE", "EXPIRES", "LAST USED", "NOTE")
        for item in items {
            let expiry = item["expires_at"]?.text.flatMap(Words.seconds)
            let isOver = expiry.map { $0 < now } ?? false
            let isRevoked = item["revoked_at"] != nil
            table.add(
                .init(item["id"]?.text ?? "?"), .init(roles(item)),
                .init(
                    isRevoked ? "revoked" : isOver ? "expired" : "valid",
                    isRevoked || isOver ? .dim : .green),
                .init(expiry.map { isOver ? "" : "in \(Words.age($0 - now))" } ?? "never"),
                .init(Words.age(of: item["last_used_at"], at: now)),
                .init(item["bootstrap"]?.boolean == true ? "admin.token" : text(item["note"])))
        }
        return table
    }

    package static func roles(_ token: JSONValue) -> String {
        (token["grants"]?.list ?? []).map { grant in
            let places = (grant["environments"]?.list ?? []).compactMap(\.text)
            let where_ = places.isEmpty ? "" : "@" + places.joined(separator: "+")
            return (grant["role"]?.text ?? "?") + where_
        }.joined(separator: ", ")
    }

    package static func audit(_ items: [JSONValue]) -> TextTable {
        var table = TextTable("ENTRY", "AT", "ACTOR", "ACTION", "KIND", "NAME", "DETAIL")
        for item in items {
            let detail = (item["detail"]?.members ?? []).map {
                "\($0.name)=\($0.value.text ?? $0.value.compact)"
            }
            table.add(
                .init(Words.number(item["id"])), .init(Words.moment(item["at"])),
                .init(Words.actor(item["actor"])), .init(text(item["action"])),
                .init(text(item["kind"])), .init(text(item["name"])),
                .init(detail.joined(separator: " ")))
        }
        return table
    }

    package static func nodes(_ items: [JSONValue]) -> TextTable {
        var table = TextTable("NODE", "CPU", "MEMORY", "GPUS", "LIMITS")
        for item in items {
            let (cpu, memory) = (item["cpu"], item["memory"])
            let gpus = item["gpus"]?.list ?? []
            let free = gpus.count { $0["replica"] == nil }
            table.add(
                .init(name(item), .bold),
                .init("\(Words.number(cpu?["taken"])) of \(Words.number(cpu?["cores"])) promised"),
                .init(
                    "\(size(memory?["taken"])) of \(size(memory?["bytes"])) promised"),
                .init(
                    gpus.isEmpty
                        ? "none"
                        : "\(free) of \(gpus.count) free, \(item["gpu_source"]?.text ?? "")"),
                .init(limits(item["enforcement"])))
        }
        return table
    }

    /// `enforced: cpu memory; advisory: storage`, by the first word of each.
    private static func limits(_ enforcement: JSONValue?) -> String {
        let groups = Dictionary(grouping: enforcement?.members ?? []) { member in
            String((member.value.text ?? "").prefix { $0.isLetter })
        }
        return groups.sorted { $0.key > $1.key }.map { word, members in
            "\(word): \(members.map(\.name).joined(separator: " "))"
        }.joined(separator: "; ")
    }

    package static func instanceTypes(_ items: [JSONValue]) -> TextTable {
        var table = TextTable("TYPE", "CORES", "MEMORY", "GPU")
        for item in items {
            let size = item["resources"]
            let gpus = size?["gpu"]?.whole ?? 0
            table.add(
                .init(name(item), .bold), .init(Words.number(size?["cpu"])),
                .init(Tables.size(size?["memory"])),
                .init(gpus == 0 ? "" : "\(gpus) × \(size?["gpu_type"]?.text ?? "any")"))
        }
        return table
    }

    private static func size(_ value: JSONValue?) -> String {
        value?.number.map(Words.bytes) ?? "?"
    }

    private static func text(_ value: JSONValue?) -> String { value?.text ?? "" }
}
