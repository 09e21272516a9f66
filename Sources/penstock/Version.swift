// Which Penstock this is.

import ArgumentParser

enum Version {
    static let text = "0.1.0"
}

struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Say which version this is.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() {
        Terminal.print(json ? "{\"version\": \"\(Version.text)\"}" : "penstock \(Version.text)")
    }
}
