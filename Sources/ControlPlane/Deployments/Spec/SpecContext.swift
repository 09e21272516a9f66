// What reading a document depends on besides the document.

package struct SpecContext: Sendable {
    /// What relative paths are relative to; nil refuses them.
    package var directory: String?
    /// Nil believes the document: what is stored was checked when it came.
    package var catalogue: InstanceCatalogue?

    package init(directory: String? = nil, catalogue: InstanceCatalogue? = .standard) {
        self.directory = directory
        self.catalogue = catalogue
    }

    static let stored = SpecContext(catalogue: nil)
}
