// A parsed response head: facts and offsets, nothing owned. All slices lie in the parsed bytes.

package struct ResponseHead: Sendable {
    package var status: UInt16 = 0
    package var reason = Slice.none
    package var minorVersion: UInt8 = 1
    package var framing = BodyFraming.none
    /// False too when the body ends with the connection, and after 101.
    package var keepsAlive = false
    /// From `Keep-Alive: timeout=`; -1 when it does not say.
    package var keepAliveTimeoutSeconds = -1
    package var byteCount = 0
    package var contentTypeIsEventStream = false

    package init() {}

    /// 1xx but not 101: another head follows.
    package var isInformational: Bool { status < 200 && status != 101 }
    /// 101: what follows is no longer HTTP.
    package var isUpgrade: Bool { status == 101 }
}
