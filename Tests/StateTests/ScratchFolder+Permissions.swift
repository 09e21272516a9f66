// Who may read what a store leaves in its folder.

import Fixtures
import Foundation

extension ScratchFolder {
    func permissions(of file: URL) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: file.path(percentEncoded: false))
        return attributes[.posixPermissions] as? Int
    }
}
