// Deployments of a list as text, each kept until something that it tells has changed: hundreds of
// them are asked for every few seconds, and hardly one has changed since.

import Deployments
import Guarding
import Notation

final class RenderedDeployments: Sendable {
    private struct Row: Sendable {
        var view: DeploymentView
        var url: String?
        var text: String
    }

    /// By id; no more than there are deployments.
    private let rows = Guarded<[String: Row]>([:])

    func text(of view: DeploymentView, _ json: DeploymentJSON) -> String {
        // Equal parts are mostly the same storage, which is seen at once.
        if let row = rows.withLock({ $0[view.id] }), row.view == view, row.url == json.gatewayURL {
            return row.text
        }
        let text = json.whole(view).compact
        rows.withLock { $0[view.id] = Row(view: view, url: json.gatewayURL, text: text) }
        return text
    }

    /// Those of deployments that are gone.
    func forgetAll(but views: [DeploymentView]) {
        rows.withLock { rows in
            guard rows.count > views.count else { return }
            let ids = Set(views.map(\.id))
            rows = rows.filter { ids.contains($0.key) }
        }
    }
}
