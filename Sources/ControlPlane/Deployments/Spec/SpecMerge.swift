// Three-way: the file's changes since it was last applied go over what the API has set meanwhile.
// A field that the file has not changed keeps its value, whoever set it.

package enum SpecMerge {
    /// - Parameter last: what was applied before; nil takes all of `next`.
    package static func merged(
        _ next: DeploymentSpec, last: DeploymentSpec?, over current: DeploymentSpec
    ) -> DeploymentSpec {
        guard let last else { return next }
        var result = current
        for field in DeploymentFields.all where field.differs(last, next) {
            field.copy(from: next, to: &result)
        }
        // A size is one thing, whether by name or by numbers.
        if last.instanceType != next.instanceType || last.resources != next.resources {
            result.instanceType = next.instanceType
            result.resources = next.resources
        }
        return result
    }
}
