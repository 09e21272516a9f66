// The program's own log: one line an event on standard error, as JSON for machines or as text for
// people. The request path never comes here, and whoever does is not kept waiting.

import Foundation
import Logging

struct ProgramLog: LogHandler {
    enum Form {
        case json, text
    }

    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String
    private let form: Form
    private let writer: LogWriter

    init(label: String, level: Logger.Level, form: Form, writer: LogWriter) {
        self.label = label
        self.form = form
        self.writer = writer
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
        fields.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error"] = "\(error)" }
        let pairs = fields.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let line = Self.line(
            form, at: Date(), level: event.level.rawValue, label: label,
            message: "\(event.message)", pairs)
        writer.write(line)
    }

    static func line(
        _ form: Form, at date: Date, level: String, label: String, message: String,
        _ fields: [(String, String)]
    ) -> String {
        let time = date.formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch form {
        case .json:
            let head = [("time", time), ("level", level), ("logger", label), ("message", message)]
            let members = (head + fields).map { "\(quoted($0.0)):\(quoted($0.1))" }
            return "{\(members.joined(separator: ","))}"
        case .text:
            let rest = fields.map { " \($0.0)=\(bare($0.1))" }.joined()
            return "\(time) \(level) \(message)\(rest)"
        }
    }

    private static func bare(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.allSatisfy { !$0.isWhitespace && $0 != "\"" }
        return isPlain ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
