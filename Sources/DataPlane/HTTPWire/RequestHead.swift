// A parsed request head: facts and offsets, nothing owned. All slices lie in the parsed bytes.

package struct RequestHead: Sendable {
    package var method = Method.other
    package var methodText = Slice.none
    /// As received, whatever its form.
    package var target = Slice.none
    /// Empty stands for `/` (an absolute-form target may have none); `*` only for OPTIONS.
    package var path = Slice.none
    /// Without its `?`; `hasQuery` tells an empty query from none.
    package var query = Slice.none
    package var hasQuery = false
    /// Valid, with its port if it had one. From an absolute-form target where there is one, since
    /// Host is then to be ignored (RFC 9112 3.2.2). Empty only in HTTP/1.0.
    package var host = Slice.none
    package var isAbsoluteForm = false
    package var minorVersion: UInt8 = 1
    package var framing = BodyFraming.none
    package var keepsAlive = false
    /// True only where a 100 (Continue) is due: HTTP/1.1, and a body is announced.
    package var expectsContinue = false
    /// The Upgrade field's value, if `Connection: upgrade` stands beside it.
    package var upgrade = Slice.none
    package var contentTypeIsJSON = false
    /// `application/grpc`, of any encoding; not gRPC-Web.
    package var contentTypeIsGRPC = false
    /// What the head took of the bytes, a tolerated leading CRLF included.
    package var byteCount = 0

    // Where the field is in the table, -1 when absent. The first one, if there are several.
    package var hostField: Int16 = -1
    package var requestIDField: Int16 = -1
    package var traceparentField: Int16 = -1
    package var forwardedForField: Int16 = -1
    package var cookieField: Int16 = -1
    package var deploymentField: Int16 = -1
    package var revisionField: Int16 = -1

    package init() {}
}
