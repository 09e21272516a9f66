// What the controller needs of the rest: values and closures, because it knows no network, no gate
// and no clock of its own.

package import Foundation
package import Replicas
package import State
package import Traffic

package struct ControllerSurroundings: Sendable {
    package var store: any StateStore
    package var runtime: any ReplicaRuntime
    package var registry: any ModelRegistry
    package var variables: any VariableSource
    package var director: TrafficDirector
    /// Who answers in the name of a stopped deployment; without one the gateway does, and cannot
    /// tell the operator's message.
    package var notices: NetworkAddress?
    /// Asks a replica once, at its address, whether it is ready; what was wrong, nil when it is.
    package var probe: @Sendable (NetworkAddress, _ path: String) async -> String?
    /// Sends a request through the data path to a host that only the controller knows; what was
    /// wrong with the answer, nil when it was good.
    package var prove: @Sendable (_ host: String, _ path: String) async -> String?
    /// When a deployment of the name was deleted, if it was.
    package var deletedAt: @Sendable (_ name: String) async -> Date?
    package var now: @Sendable () -> Date
    /// Told after each look at the deployments, for whoever waits for one of them.
    package var looked: @Sendable () -> Void = {}

    package init(
        store: any StateStore, runtime: any ReplicaRuntime, registry: any ModelRegistry,
        variables: any VariableSource, director: TrafficDirector, notices: NetworkAddress? = nil,
        probe: @escaping @Sendable (NetworkAddress, _ path: String) async -> String?,
        prove: @escaping @Sendable (_ host: String, _ path: String) async -> String?,
        deletedAt: @escaping @Sendable (_ name: String) async -> Date? = { _ in nil },
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.runtime = runtime
        self.registry = registry
        self.variables = variables
        self.director = director
        self.notices = notices
        self.probe = probe
        self.prove = prove
        self.deletedAt = deletedAt
        self.now = now
    }
}
