// The smallest file, and ways to put one key into it.

import Settings
import Testing
import Traffic

func parsed(_ text: String) throws -> Configuration {
    try ConfigurationFile.parse(
        Array(text.utf8), file: "penstock.yaml", workers: 4, directory: "/etc/penstock")
}

/// What is wrong with a text, one line each; empty when nothing is.
func complaints(_ text: String) -> [String] {
    do {
        _ = try parsed(text)
        return []
    } catch let error as SettingsError {
        return error.lines
    } catch {
        return ["\(error)"]
    }
}

/// Lines to put into the smallest service or deployment, in flow style: `retry: { attempts: 3 }`.
func withService(_ keys: String) -> String {
    """
    services:
      - name: echo
        routes: [{ path: /echo }]
        revisions: [{ name: stable, endpoints: [127.0.0.1:9001] }]
        \(keys)
    """
}

func withRoute(_ route: String) -> String {
    """
    services:
      - name: echo
        routes: [\(route)]
        revisions: [{ name: stable, endpoints: [127.0.0.1:9001] }]
    """
}

func withRevisions(_ revisions: String) -> String {
    """
    services:
      - name: echo
        routes: [{ path: /echo }]
        revisions: [\(revisions)]
    """
}

func withDeployment(_ keys: String) -> String {
    """
    deployments:
      - name: iris
        model: iris
        version: v1
        command: [penstock-model, --listen, "{address}"]
        resources: { cpu: 1, memory: 512MiB }
        \(keys)
    """
}

func service(_ text: String) throws -> ServicePlan {
    try #require(try parsed(text).services.first)
}
