// The round that lets go of what deleted deployments have left on disk: the controller says which
// deployments there are, the runtime what lies there of others.

import Deployments
import Foundation
import Logging
import Replicas

extension Wiring {
    /// Until it is cancelled.
    func forgetOutput() async {
        while !Task.isCancelled {
            // Who cannot be asked which deployments there are is asked again later.
            if let views = try? await controller.list() {
                let gone = runtime.forgetOutput(except: Set(views.map(\.spec.name)))
                if !gone.isEmpty {
                    let names = gone.sorted().joined(separator: ", ")
                    log.notice(
                        "logs and dossiers of deleted deployments are removed",
                        metadata: ["deployments": "\(names)"])
                }
            }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: Limits.forgettingPeriod)
        }
    }
}
