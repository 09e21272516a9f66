// All that the admin port can ask of deployments. The controller is the one that does it; tests put
// another behind the same door.

package import Replicas

package protocol DeploymentControl: Sendable {
    /// All but deleted ones, by name.
    func list() async throws -> [DeploymentView]

    /// - Throws: `ControlError.notFound`.
    func view(_ name: String) async throws -> DeploymentView

    /// Newest first.
    func revisions(of name: String) async throws -> [Revision]

    /// By name; those that have ended but are not yet forgotten, too.
    func replicas(of name: String) async throws -> [ReplicaView]

    /// What the change would do. Nothing is done.
    func plan(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest
    ) async throws -> ChangePlan

    /// Does it, or begins to: what takes time goes on as an operation.
    ///
    /// - Throws: `ControlError`; then nothing was done.
    func perform(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest
    ) async throws -> ChangeReceipt

    func act(
        _ action: ReplicaAction, on replica: String, of name: String, asked: ChangeRequest
    ) async throws -> ChangeReceipt

    /// Of a replica that is there or was.
    func logs(_ query: LogQuery) async throws -> LogPage

    /// How runs of its replicas failed, newest first.
    func dossiers(of name: String) async throws -> [CrashDossier]

    /// All that are kept, which may be thousands, newest first.
    func operations(of name: String?) async throws -> [DeploymentOperation]
    /// Some of them, by their age.
    func operations(_ question: OperationQuestion) async throws -> OperationPage

    func operation(_ id: String) async throws -> DeploymentOperation

    /// The operation once it is done, or as it is when the time is over.
    func operation(_ id: String, within patience: Duration) async throws -> DeploymentOperation

    /// Ends it early where that is possible; what it has replaced is put back.
    func cancel(_ id: String, asked: ChangeRequest) async throws -> DeploymentOperation

    func nodes() async -> [NodeView]

    /// Returns once what has been stored until now is what readers are told.
    func settle() async
}

/// What a change has come to.
package struct ChangeReceipt: Sendable, Equatable {
    package var view: DeploymentView
    /// Nil when there is nothing to wait for.
    package var operation: DeploymentOperation?
    package var plan: ChangePlan

    package init(view: DeploymentView, operation: DeploymentOperation? = nil, plan: ChangePlan) {
        self.view = view
        self.operation = operation
        self.plan = plan
    }
}

/// Which operations, and from where on.
package struct OperationQuestion: Sendable {
    /// Nil is of all deployments.
    package var deployment: String?
    package var newestFirst: Bool
    package var pageSize: Int
    /// From the page before; nil is the first.
    package var pageToken: String?

    package init(
        deployment: String? = nil, newestFirst: Bool = false, pageSize: Int,
        pageToken: String? = nil
    ) {
        self.deployment = deployment
        self.newestFirst = newestFirst
        self.pageSize = pageSize
        self.pageToken = pageToken
    }
}

package struct OperationPage: Sendable {
    package var operations: [DeploymentOperation]
    /// Nil at the end.
    package var nextPageToken: String?
    /// On all pages.
    package var total: Int

    package init(operations: [DeploymentOperation], nextPageToken: String?, total: Int) {
        self.operations = operations
        self.nextPageToken = nextPageToken
        self.total = total
    }
}
