// Which revision a request goes to, and what ties it to one endpoint: the session of a signed
// cookie or a header, the client's address, an override.

import Balancing
import HTTPWire
package import Reactor
import Traffic

extension Worker {
    mutating func chooseShare(
        _ exchange: Slot<Exchange>, _ request: RequestHead, _ bytes: Bytes
    ) {
        let service = exchange.it.service
        if service.it.rules.needsClientHash {
            exchange.it.choice.clientHash = clientHash(exchange.it.client, bytes)
        }
        var override = -1
        if service.it.rules.allowsOverride, request.revisionField >= 0 {
            override = revision(
                named: bytes.slice(fields[Int(request.revisionField)].value), service)
        }
        if override < 0, let session = session(of: bytes, exchange) {
            exchange.it.revision = Int32(session.revision)
            exchange.it.choice.stickyEndpoint = session.endpoint
            return
        }
        var key: UInt64 = 0
        var hasKey = false
        switch service.it.rules.splitKey {
        case .none: break
        case .header(let name):
            if let value = field(named: name, in: bytes) {
                key = hash(value)
                hasKey = true
            }
        case .cookie(let name):
            if let value = cookie(named: name, in: bytes) {
                key = hash(value)
                hasKey = true
            }
        case .clientAddress:
            key = exchange.it.choice.clientHash
            hasKey = true
        }
        exchange.it.revision = Int32(
            service.it.balancer.chooseRevision(
                key: key, hasKey: hasKey, override: override, now: loop.now))
    }

    private func hash(_ bytes: Bytes) -> UInt64 {
        SipHash.hash(bytes.span, key: shared.options.key)
    }

    /// The session that the request belongs to; notes what is to be done about it.
    private mutating func session(
        of bytes: Bytes, _ exchange: Slot<Exchange>
    ) -> (revision: Int, endpoint: Int32)? {
        let service = exchange.it.service
        switch service.it.rules.sticky {
        case .none, .clientAddress: return nil
        case .header(let name):
            if let value = field(named: name, in: bytes) {
                exchange.it.choice.stickyHash = hash(value)
                exchange.it.choice.hasStickyHash = true
            }
            return nil
        case .cookie(let name):
            exchange.it.setsSticky = true
            guard let value = cookie(named: name, in: bytes),
                let tag = StickyCookie.read(
                    value.span, key: shared.options.key, wallSeconds: wall / 1000,
                    lifetimeSeconds: service.it.rules.stickyLifetimeSeconds),
                let session = service.it.balancer.table.session(tag: tag),
                // A session whose whole revision is down goes on elsewhere.
                service.it.revisions.count == 1
                    || service.it.balancer.isServing(revision: session.revision, now: loop.now)
            else { return nil }
            exchange.it.setsSticky = false
            return session
        }
    }

    private func revision(named name: Bytes, _ service: Slot<ServiceRuntime>) -> Int {
        for index in 0..<service.it.revisions.count
        where service.it.revisions[index].it.name.isEqual(to: name) {
            return index
        }
        return -1
    }

    /// The first field of that name; `name` is lower case.
    private func field(named name: Bytes, in bytes: Bytes) -> Bytes? {
        for index in 0..<fields.count {
            let field = fields[index]
            if field.isHopByHop || field.isAlias { continue }
            if bytes.slice(field.name).isEqualIgnoringCase(to: name) {
                return bytes.slice(field.value)
            }
        }
        return nil
    }

    /// A cookie's value, without quotes it may stand in (RFC 6265 4.2.1).
    private func cookie(named name: Bytes, in bytes: Bytes) -> Bytes? {
        guard fields.first(.cookie) >= 0 else { return nil }
        for index in 0..<fields.count where fields[index].known == .cookie {
            if fields[index].isAlias { continue }
            if let value = Cookies.value(of: name, in: bytes.slice(fields[index].value)) {
                return value
            }
        }
        return nil
    }

    /// A number that stands for the client's address: the nearest one behind all trusted proxies,
    /// or the peer's. The same client has the same number whichever way it comes.
    private func clientHash(_ client: Slot<ClientConnection>, _ bytes: Bytes) -> UInt64 {
        let key = shared.options.key
        var chain = ForwardedChain()
        if client.it.isTrusted, fields.first(.xForwardedFor) >= 0 {
            for index in (0..<fields.count).reversed()
            where fields[index].known == .xForwardedFor && !fields[index].isAlias {
                if chain.read(bytes.slice(fields[index].value), trusted: gateway.trusted) { break }
            }
        }
        switch chain.client {
        case .address(let bits): return SipHash.hash(bits.high, bits.low, key: key)
        case .name(let name): return hash(name)
        case .none: return SipHash.hash(client.it.peer.high, client.it.peer.low, key: key)
        }
    }
}

/// Reading the lists of `Cookie` fields.
package enum Cookies {
    /// The value of the first `name=value` pair of that name.
    package static func value(of name: Bytes, in list: Bytes) -> Bytes? {
        let span = list.span
        var start = 0
        while start < list.count {
            while start < list.count, span.byte(start) == 0x20 || span.byte(start) == 0x3B {
                start += 1
            }
            let end = span.firstIndex(of: 0x3B, from: start) ?? list.count
            if let equals = span.firstIndex(of: 0x3D, from: start, to: end),
                list.slice(from: start, count: equals - start).isEqual(to: name)
            {
                return unquoted(list.slice(from: equals + 1, count: end - equals - 1))
            }
            start = end + 1
        }
        return nil
    }

    private static func unquoted(_ value: Bytes) -> Bytes {
        guard value.count >= 2, value.first == 0x22, value.span.byte(value.count - 1) == 0x22
        else { return value }
        return value.slice(from: 1, count: value.count - 2)
    }
}
