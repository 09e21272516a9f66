// Lines to standard output and standard error, at once and whole, with colour only where a person
// looks and has not said no.

import Foundation
import Glibc

enum Terminal {
    static func print(_ text: String) {
        // Nobody reads any more (a closed pipe): there is nobody left to tell.
        try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    /// An answer as it came, with one line end.
    static func document(_ answer: Data) {
        let text = String(decoding: answer, as: UTF8.self)
        print(text.trimmingCharacters(in: .newlines))
    }

    static func error(_ text: String) {
        // As above; an unwritable standard error has no place to complain to.
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// https://no-color.org: any value that is not empty switches colour off.
    static let hasColour: Bool = {
        let environment = ProcessInfo.processInfo.environment
        guard environment["NO_COLOR", default: ""].isEmpty, environment["TERM"] != "dumb" else {
            return false
        }
        return isatty(STDOUT_FILENO) == 1
    }()

    enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
        case dim = 2
    }

    static func paint(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }
}
