// Lines to standard output and standard error, at once and whole, with colour only where a person
// looks and has not said no.

import CLinux
import Console
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

    /// What replaces the line the cursor is on, without going to the next.
    static func errorInPlace(_ text: String) {
        // As above.
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[2K\(text)".utf8))
    }

    /// An empty screen, the cursor at its beginning.
    static func clear() {
        // As above.
        try? FileHandle.standardOutput.write(contentsOf: Data("\u{1b}[H\u{1b}[2J".utf8))
    }

    static let paint = Paint(isOn: hasColour(STDOUT_FILENO))
    static let errorPaint = Paint(isOn: hasColour(STDERR_FILENO))

    /// Whether lines of standard error may be written over.
    static let isLive = isatty(STDERR_FILENO) == 1 && isCapable

    /// A person can be asked.
    static let canAsk = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1

    /// Columns of the terminal; nil where there is none, and nothing is cut then.
    static let width: Int? = {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        let columns = Int(penstock_terminal_columns(STDOUT_FILENO))
        return columns > 0 ? columns : 80
    }()

    static let errorWidth = max(40, Int(penstock_terminal_columns(STDERR_FILENO)))

    private static let isCapable = ProcessInfo.processInfo.environment["TERM"] != "dumb"

    /// https://no-color.org: any value that is not empty switches colour off.
    private static func hasColour(_ descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        guard environment["NO_COLOR", default: ""].isEmpty, isCapable else { return false }
        return isatty(descriptor) == 1
    }
}
