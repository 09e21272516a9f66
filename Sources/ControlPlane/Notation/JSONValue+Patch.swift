// RFC 7396: a patch is a document of the same shape; what it names is replaced, what it sets to
// null is taken out, what it does not name stays. Lists are replaced whole.

extension JSONValue {
    package func patched(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result: JSONValue = members == nil ? .object([]) : self
        for change in changes {
            if change.value == .null {
                result = result.setting(change.name, to: nil)
            } else {
                let old = result[change.name] ?? .null
                result = result.setting(change.name, to: old.patched(with: change.value))
            }
        }
        return result
    }

    /// The smallest patch that makes `self` into `other`. Nulls inside `other` cannot be said in a
    /// merge patch; documents of ours have none.
    package func patch(to other: JSONValue) -> JSONValue {
        guard let before = members, let after = other.members else { return other }
        var changes: [Member] = []
        for member in after {
            guard let old = self[member.name] else {
                changes.append(member)
                continue
            }
            if old == member.value { continue }
            changes.append(Member(name: member.name, value: old.patch(to: member.value)))
        }
        for member in before where other[member.name] == nil {
            changes.append(Member(name: member.name, value: .null))
        }
        return .object(changes)
    }
}
