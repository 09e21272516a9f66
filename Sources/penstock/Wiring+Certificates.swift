// Whether certificates can be used, asked of the module that will use them: so `penstock check`
// finds a key that does not fit just as a start or a reload would.

import Foundation
import Settings
import TLS

extension Surroundings {
    static func complaint(ofCertificate certificate: String, key: String) -> String? {
        do {
            let identity = try TLSIdentity(
                certificate: TLSFile(reading: certificate), key: TLSFile(reading: key))
            _ = try TLSServerContext(
                TLSServerSettings(identities: [identity]), tickets: TLSTicketKeys(),
                now: Int64(Date().timeIntervalSince1970))
            return nil
        } catch {
            return "\(error)"
        }
    }

    static func complaint(ofAuthorities path: String) -> String? {
        do {
            _ = try TLSAuthorities(
                TLSFile(reading: path), now: Int64(Date().timeIntervalSince1970))
            return nil
        } catch {
            return "\(error)"
        }
    }
}
