// Outcomes of gRPC calls, from trailers that a replica sent and from HTTP statuses without any.

import HTTPWire
import Testing

@Suite struct GRPCStatusTests {
    private func read(_ lines: String) throws -> GRPCStatus? {
        let bytes = Array((lines + "\r\n").utf8)
        var fields = FieldTable(capacity: 32)
        let end = try TrailerFields.read(unsafe bytes.span.bytes, into: &fields)
        #expect(end == bytes.count)
        return GRPCStatus.read(fields, of: unsafe bytes.span.bytes)
    }

    @Test func `every number of the registry is a status`() throws {
        for number in 0...16 {
            let status = try read("x: y\r\nGrpc-Status: \(number)\r\n")
            #expect(status == GRPCStatus(rawValue: UInt8(number)))
        }
        #expect(Set(GRPCStatus.allCases.map { "\($0.name)" }).count == 17)
    }

    @Test func `no status is none`() throws {
        #expect(try read("grpc-message: x\r\nx-grpc-status: 0\r\n") == nil)
        #expect(try read("") == nil)
    }

    @Test(arguments: ["17", "99", "-1", "", "0x1", "1 ", "000", "256", "ok"])
    func `what is no number of the registry is unknown`(_ text: String) throws {
        let status = try read("grpc-status: \(text)\r\n")
        #expect(status == (text == "1 " ? .cancelled : .unknown))
    }

    @Test func `an HTTP status stands for one`() {
        #expect(GRPCStatus(httpStatus: 503) == .unavailable)
        #expect(GRPCStatus(httpStatus: 404) == .unimplemented)
        #expect(GRPCStatus(httpStatus: 401) == .unauthenticated)
        #expect(GRPCStatus(httpStatus: 418) == .unknown)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("Application/GRPC", true),
        ("application/grpc; charset=utf-8", true), ("application/grpc-web", false),
        ("application/grpc-web+proto", false), ("application/json", false),
        ("application/grpcx", false),
    ])
    func `gRPC is known by its content type`(_ text: String, _ isOne: Bool) {
        let bytes = Array(text.utf8)
        let slice = Slice(from: 0, to: bytes.count)
        #expect(GRPCStatus.isContentType(unsafe bytes.span.bytes, slice) == isOne)
    }
}
