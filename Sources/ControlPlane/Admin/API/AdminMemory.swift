// What stands behind the endpoints of deployments: the controller, the models, and the store with
// its tokens, audit trail, events and watches.

package import Deployments
package import State

package struct AdminMemory: Sendable {
    /// Nil until there is one.
    package var control: (any DeploymentControl)?
    package var models: any ModelRegistry
    package var store: Store
    package var variables: StoredVariables { StoredVariables(store: store) }
    /// Where clients reach the gateway: `http://127.0.0.1:8080`; nil before it listens.
    package var gatewayURL: @Sendable () -> String?

    package init(
        control: (any DeploymentControl)? = nil, models: any ModelRegistry, store: Store,
        gatewayURL: @escaping @Sendable () -> String? = { nil }
    ) {
        self.control = control
        self.models = models
        self.store = store
        self.gatewayURL = gatewayURL
    }
}
