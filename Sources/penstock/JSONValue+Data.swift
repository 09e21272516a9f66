// What a server says, read without a schema: a newer gateway may say more, an older one less.

import Foundation
import Notation

extension JSONValue {
    /// Nil when the bytes are no JSON.
    init?(_ bytes: Data) {
        // The caller says what is wrong in its own words.
        guard let value = try? JSONReader.read(Array(bytes)) else { return nil }
        self = value
    }
}
