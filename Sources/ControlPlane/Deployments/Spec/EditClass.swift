// What changing a field means for the replicas that run, and the summary of a whole edit. The class
// stands in the field table; nothing else decides it.

package enum EditClass: String, Sendable, Codable, CaseIterable {
    /// In force at once; no replica changes.
    case live
    /// A new revision replaces the replicas.
    case restart
    /// Never changes.
    case immutable
    /// A new revision, too, but only a model update (or a roll-back) makes it.
    case viaUpdateModel = "via_update_model"

    /// Whether a change of such a field makes a revision.
    package var makesRevision: Bool { self == .restart || self == .viaUpdateModel }
}

/// The fields that differ between two specs, by class, as dotted names in the table's order.
package struct EditSummary: Sendable, Equatable, Codable {
    package var live: [String] = []
    package var restart: [String] = []
    /// Changed by a model update.
    package var model: [String] = []
    package var immutable: [String] = []

    package init() {}

    package init(from old: DeploymentSpec, to new: DeploymentSpec) {
        for field in DeploymentFields.all where field.differs(old, new) {
            switch field.edit {
            case .live: live.append(field.name)
            case .restart: restart.append(field.name)
            case .viaUpdateModel: model.append(field.name)
            case .immutable: immutable.append(field.name)
            }
        }
    }

    package var isEmpty: Bool { live.isEmpty && !makesRevision && immutable.isEmpty }

    package var makesRevision: Bool { !restart.isEmpty || !model.isEmpty }
}
