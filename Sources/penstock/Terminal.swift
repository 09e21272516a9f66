// Lines to standard output and standard error, at once and whole, with colour only where a person
// looks and has not said no. A terminal is sent nothing but text and our own colours.

import CLinux
import Console
import Foundation
import Glibc
import Synchronization

enum Terminal {
    /// The first error of writing to standard output; 0 is none.
    private static let outputError = Atomic<Int32>(0)
    private static let isStream = Atomic<Bool>(false)

    static func print(_ text: String) {
        let shown = isTerminal ? VisibleText.text(text, keepsInk: paint.isOn) : text
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((shown + "\n").utf8))
        } catch {
            _ = outputError.compareExchange(
                expected: 0, desired: Self.code(of: error), ordering: .relaxed)
            if isStream.load(ordering: .relaxed) { exit(outputFailure() ? 1 : 0) }
        }
    }

    /// An answer as it came, with one line end.
    static func document(_ answer: Data) {
        let text = String(decoding: answer, as: UTF8.self)
        print(text.trimmingCharacters(in: .newlines))
    }

    static func error(_ text: String) {
        let shown = isErrorTerminal ? VisibleText.text(text, keepsInk: errorPaint.isOn) : text
        // An unwritable standard error has no place to complain to.
        try? FileHandle.standardError.write(contentsOf: Data((shown + "\n").utf8))
    }

    /// What replaces the line the cursor is on, without going to the next.
    static func errorInPlace(_ text: String) {
        let shown = VisibleText.text(text, keepsInk: errorPaint.isOn)
        // As above.
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[2K\(shown)".utf8))
    }

    /// An empty screen, the cursor at its beginning.
    static func clear() {
        // What cannot be written is told by the lines that follow.
        try? FileHandle.standardOutput.write(contentsOf: Data("\u{1b}[H\u{1b}[2J".utf8))
    }

    /// Whether output was lost, other than by a reader that has had enough; tells so.
    static func outputFailure() -> Bool {
        let code = outputError.load(ordering: .relaxed)
        guard code != 0, code != EPIPE else { return false }
        let cause = NSError(domain: NSPOSIXErrorDomain, code: Int(code)).localizedDescription
        error("penstock: standard output cannot be written: \(cause)")
        return true
    }

    /// For verbs that go on until they are ended: when nobody reads any more, that is their end,
    /// also when there is nothing to be written.
    static func endWithReader() {
        isStream.store(true, ordering: .relaxed)
        let thread = Thread {
            penstock_wait_for_last_reader(STDOUT_FILENO)
            _exit(0)
        }
        thread.name = "reader"
        thread.start()
    }

    private static func code(of error: any Error) -> Int32 {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return Int32(truncatingIfNeeded: (cause ?? error as NSError).code)
    }

    static let paint = Paint(isOn: hasColour(STDOUT_FILENO))
    static let errorPaint = Paint(isOn: hasColour(STDERR_FILENO))

    /// Whether lines of standard error may be written over.
    static let isLive = isatty(STDERR_FILENO) == 1 && isCapable

    /// A person can be asked.
    static let canAsk = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1

    static let isTerminal = isatty(STDOUT_FILENO) == 1
    private static let isErrorTerminal = isatty(STDERR_FILENO) == 1

    /// Columns of the terminal; nil where there is none, and nothing is cut then.
    static let width: Int? = isTerminal ? columns(STDOUT_FILENO) : nil

    static let errorWidth = columns(STDERR_FILENO)

    /// `COLUMNS` says otherwise than the terminal where somebody wants it so.
    private static func columns(_ descriptor: Int32) -> Int {
        let wanted = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 0
        let real = wanted > 0 ? wanted : Int(penstock_terminal_columns(descriptor))
        return real > 0 ? max(20, real) : 80
    }

    private static let isCapable = ProcessInfo.processInfo.environment["TERM"] != "dumb"

    /// https://no-color.org: any value that is not empty switches colour off.
    private static func hasColour(_ descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        guard environment["NO_COLOR", default: ""].isEmpty, isCapable else { return false }
        return isatty(descriptor) == 1
    }
}
