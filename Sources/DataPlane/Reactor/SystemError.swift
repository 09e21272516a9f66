// A system call that failed: which one, and the errno it left.

internal import CLinux

package struct SystemError: Error, Sendable, Equatable {
    package let call: StaticString
    package let code: Int32

    package init(call: StaticString, code: Int32) {
        self.call = call
        self.code = code
    }

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
