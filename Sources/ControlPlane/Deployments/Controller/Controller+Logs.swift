// What replicas have said and how they failed: the runtime keeps it, also of those that are gone;
// the controller says whose it is.

package import Replicas

extension Controller {
    package func logs(_ query: LogQuery) async throws -> LogPage {
        _ = try await entry(query.deployment)
        return try await surroundings.runtime.logs(query)
    }

    package func dossiers(of name: String) async throws -> [CrashDossier] {
        _ = try await entry(name)
        return await surroundings.runtime.dossiers(of: name)
    }
}
