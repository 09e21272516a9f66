// Every bound of this module, with the sum that chose the number.

enum Limits {
    /// A service with ten endpoints takes about 1 KiB: room for four thousand of them.
    static let fileBytes = 4 * 1024 * 1024
    /// More than fit on a few screens are not read; the rest shows when these are gone.
    static let problems = 200
    /// Names of services, revisions and deployments become path segments and DNS-like labels.
    static let nameCharacters = 63
    /// Longest text of any value that ends up in a header or a path.
    static let textBytes = 4096
    static let services = 10_000
    static let routes = 1000
    static let revisions = 100
    /// Endpoints of one revision: a Maglev table of 65,537 places still gives each a fair share.
    static let endpoints = 1000
    static let listeners = 64
    static let ranges = 1000
    /// Certificates of one listener: as many as the data plane takes.
    static let certificates = 1000
    static let headerEdits = 64
    static let upgrades = 16
    static let longestSeconds = 24 * 3600
    /// More than any host has.
    static let gpuTypes = 16
    static let gpus = 64
}
