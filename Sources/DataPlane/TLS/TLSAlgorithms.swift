// Whose algorithms sessions use, where more than one provider of them is loaded into OpenSSL. Who
// loads one says so here; this module neither loads any nor needs to know what they are.

package struct TLSAlgorithms: Sendable, Equatable {
    /// Of properties, as OpenSSL looks algorithms up by; nil takes what comes.
    let query: String?

    /// OpenSSL's own, or what its configuration on this system says.
    package static let standard = TLSAlgorithms(query: nil)

    /// Those of a provider that has been loaded, where it has them; all others are as usual. What
    /// the system's configuration demands of algorithms is demanded of these, too.
    package static func preferring(provider: String) -> TLSAlgorithms {
        TLSAlgorithms(query: "?provider=\(provider)")
    }
}
