// Who has which GPU. A device is given to one replica only, also after a crash: what live replicas
// hold is restored before anything is given out. Pure.

import Notation

package struct GPUAllocator: Sendable, Equatable {
    package let inventory: GPUInventory
    private var holders: [String: String] = [:]

    package init(_ inventory: GPUInventory) {
        self.inventory = inventory
    }

    package var free: [GPUDevice] {
        inventory.devices.filter { holders[$0.id] == nil }
    }

    package func devices(of replica: String) -> [GPUDevice] {
        inventory.devices.filter { holders[$0.id] == replica }
    }

    /// The first free devices of the type, in the order of the inventory: what is left stays
    /// together. Devices of just that name come first: of several kinds that would do, a replica
    /// gets the one it was promised.
    package mutating func assign(
        count: Int, type: String?, to replica: String
    ) throws(ReplicaError) -> [GPUDevice] {
        guard count > 0 else { return [] }
        let devices = inventory.devices
        let fitting =
            devices.filter { type == $0.type }
            + devices.filter { device in
                type != device.type && type.map { GPUType.isSame($0, device.type) } ?? true
            }
        let chosen = fitting.filter { holders[$0.id] == nil }.prefix(count)
        guard chosen.count == count else {
            throw .noCapacity(shortage(count, type, fitting: fitting.count, free: chosen.count))
        }
        for device in chosen { holders[device.id] = replica }
        return Array(chosen)
    }

    /// What a live replica holds already. Unknown devices stay with it, too: the inventory may have
    /// changed since, and come back.
    ///
    /// - Returns: those that another replica holds; both go on, and a person has to know.
    @discardableResult
    package mutating func restore(_ ids: [String], to replica: String) -> [String] {
        var conflicts: [String] = []
        for id in ids {
            if let holder = holders[id], holder != replica {
                conflicts.append(id)
            } else {
                holders[id] = replica
            }
        }
        return conflicts
    }

    package mutating func release(_ replica: String) {
        holders = holders.filter { $0.value != replica }
    }

    private func shortage(_ count: Int, _ type: String?, fitting: Int, free: Int) -> String {
        let wanted = "\(count) GPU\(count == 1 ? "" : "s")" + (type.map { " of type \($0)" } ?? "")
        if inventory.devices.isEmpty { return "\(wanted): there are no GPUs here" }
        if fitting == 0, let type {
            let types = Set(inventory.devices.map(\.type)).sorted().joined(separator: ", ")
            return "\(wanted): there is no \(type) here, but \(types)"
        }
        if fitting < count { return "\(wanted): there are only \(fitting) here" }
        return "\(wanted): only \(free) of \(fitting) are free"
    }
}
