// A system call that failed: which one, and the errno it left.

internal import CLinux
internal import Glibc

package struct SystemError: Error, Sendable, Equatable {
    package let call: StaticString
    package let code: Int32

    package init(call: StaticString, code: Int32) {
        self.call = call
        self.code = code
    }

    /// What the kernel says of a path or a name that it cannot use.
    package static let nameTooLong = ENAMETOOLONG
    package static let noSuchAddress = EADDRNOTAVAIL
    package static let connectionReset = ECONNRESET

    package static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && left.call.description == right.call.description
    }
}

extension SystemError: CustomStringConvertible {
    /// `bind: Address already in use (98)`
    package var description: String {
        "\(call): \(unsafe String(cString: penstock_error_text(code))) (\(code))"
    }
}
