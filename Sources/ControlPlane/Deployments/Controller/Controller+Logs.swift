// What replicas have said and how they failed: the runtime keeps it, also of those that are gone;
// the controller says whose it is, and hides the secrets that it gave them. The files themselves
// hold what was printed.

package import Replicas

extension Controller {
    package func logs(_ query: LogQuery) async throws -> LogPage {
        let mask = try await mask(of: query.deployment)
        return try await surroundings.runtime.logs(query).masked(by: mask)
    }

    package func dossiers(of name: String) async throws -> [CrashDossier] {
        let mask = try await mask(of: name)
        return await surroundings.runtime.dossiers(of: name).map { $0.masked(by: mask) }
    }

    /// Of all revisions that are kept: what is looked at may be old. Who cannot know what to hide
    /// shows nothing.
    private func mask(of name: String) async throws -> SecretMask {
        let pinned = try await entry(name).revisions.values.compactMap(\.content.facts.pinned)
        guard pinned.contains(where: { !$0.secrets.isEmpty }) else { return SecretMask([]) }
        return SecretMask(try await surroundings.variables.secrets(of: pinned))
    }
}
