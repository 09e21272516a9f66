// The name resolver against a scripted look-up: when it speaks, and when it keeps silent.
// No name is ever looked up for real, and no time passes but what the look-up waits for.

import Proxying
import Reactor
import Testing

private let one = SocketAddress(ipv4: 0x0a00_0001, port: 0)
private let two = SocketAddress(ipv4: 0x0a00_0002, port: 0)

@Suite struct NameResolverTests {
    @Test func `a new name is looked up at once`() throws {
        let heard = try Heard()
        let resolver = try heard.resolver(interval: 1_000_000) { _ in .success([one, two]) }
        defer { resolver.stop() }
        resolver.watch(["a.example"])
        #expect(heard.next() == "a.example 10.0.0.1:0 10.0.0.2:0")
        resolver.watch(["a.example", "b.example"])
        #expect(heard.next() == "b.example 10.0.0.1:0 10.0.0.2:0")
    }

    @Test func `only a changed set of addresses is told`() throws {
        let script = Script([
            .success([one, two]), .success([two, one]), .success([two]), .success([two]),
            .success([one]),
        ])
        let heard = try Heard()
        let resolver = try heard.resolver(interval: 0) { _ in script.next() }
        defer { resolver.stop() }
        resolver.watch(["a"])
        let said = [heard.next(), heard.next(), heard.next()]
        #expect(said == ["a 10.0.0.1:0 10.0.0.2:0", "a 10.0.0.2:0", "a 10.0.0.1:0"])
    }

    @Test func `a failure is told once and keeps the last answer`() throws {
        let failure = LookupError(host: "a", code: -3, description: "a: try again")
        let script = Script([
            .success([one]), .failure(failure), .failure(failure), .success([one]),
            .failure(failure), .success([two]),
        ])
        let heard = try Heard()
        let resolver = try heard.resolver(interval: 0) { _ in script.next() }
        defer { resolver.stop() }
        resolver.watch(["a"])
        let said = (0..<4).map { _ in heard.next() }
        #expect(said == ["a 10.0.0.1:0", "a: try again", "a: try again", "a 10.0.0.2:0"])
    }

    @Test func `a name that is watched again is told again`() throws {
        let heard = try Heard()
        let resolver = try heard.resolver(interval: 1_000_000) { _ in .success([one]) }
        defer { resolver.stop() }
        for name in ["a", "b", "a"] {
            resolver.watch([name])
            #expect(heard.next() == "\(name) 10.0.0.1:0")
        }
    }

    @Test func `an answer that comes after its name was dropped is not told`() throws {
        let heard = try Heard()
        let (asked, mayAnswer) = (try Doorbell(), try Doorbell())
        let resolver = try heard.resolver(interval: 1_000_000) { host in
            if host == "slow" {
                asked.ring()
                mayAnswer.wait(milliseconds: 10_000)
            }
            return .success([one])
        }
        defer { resolver.stop() }
        resolver.watch(["slow"])
        asked.wait(milliseconds: 10_000)
        resolver.watch(["b"])
        mayAnswer.ring()
        #expect(heard.next() == "b 10.0.0.1:0")
    }

    @Test func `stopping does not wait for a look-up that hangs`() throws {
        let heard = try Heard()
        let (asked, mayAnswer) = (try Doorbell(), try Doorbell())
        let resolver = try heard.resolver(interval: 0) { _ in
            asked.ring()
            mayAnswer.wait(milliseconds: -1)
            return .success([one])
        }
        resolver.watch(["slow"])
        asked.wait(milliseconds: 10_000)
        resolver.stop()
        mayAnswer.ring()
        #expect(heard.isEmpty)
    }

    @Test func `stopping an idle resolver ends its thread`() throws {
        let resolver = try Heard().resolver(interval: 1_000_000) { _ in .success([one]) }
        resolver.stop()
        resolver.stop()
    }
}

/// Answers in turn; the last one for ever.
private final class Script: Sendable {
    private let answers: Lock<[Result<[SocketAddress], LookupError>]>

    init(_ answers: [Result<[SocketAddress], LookupError>]) {
        self.answers = Lock(answers.reversed())
    }

    func next() -> Result<[SocketAddress], LookupError> {
        answers.withLock { list in
            list.count > 1 ? list.removeLast() : list[0]
        }
    }
}

/// What a resolver has said, as lines, in order.
private final class Heard: Sendable {
    private let lines = Lock<[String]>([])
    private let doorbell: Doorbell

    init() throws {
        doorbell = try Doorbell()
    }

    var isEmpty: Bool { lines.withLock { $0.isEmpty } }

    func resolver(
        interval: Int64,
        lookUp: @escaping @Sendable (String) -> Result<[SocketAddress], LookupError>
    ) throws -> NameResolver {
        try NameResolver(
            intervalMilliseconds: interval,
            lookUp: { host throws(LookupError) in try lookUp(host).get() },
            onChange: { host, addresses in
                self.add(([host] + addresses.map(\.description)).joined(separator: " "))
            },
            onFailure: { _, text in self.add(text) })
    }

    /// The next line, or a complaint after 10 s.
    func next() -> String {
        for _ in 0..<2 {
            let line = lines.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let line { return line }
            doorbell.wait(milliseconds: 10_000)
        }
        return lines.withLock { $0.isEmpty ? "nothing was said" : $0.removeFirst() }
    }

    private func add(_ line: String) {
        lines.withLock { $0.append(line) }
        doorbell.ring()
    }
}
