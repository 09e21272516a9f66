// Values as the JSON text that documents keep. One value has one text (sorted keys, no blanks), so
// that "has it changed?" is a comparison of strings. Moments are RFC 3339 with milliseconds.

import Foundation

package enum JSONText {
    /// - Throws: `StateError.invalid` for what JSON cannot say, such as infinity.
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Moment.text(date))
        }
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw StateError.invalid(what: "\(type(of: value))", reason: "\(error)")
        }
    }

    /// - Parameter what: names the text in the error.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from text: String, of what: String
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = Moment.date(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "'\(text)' is no RFC 3339 moment")
            }
            return date
        }
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw StateError.unreadable(what: what, reason: "\(error)")
        }
    }
}
