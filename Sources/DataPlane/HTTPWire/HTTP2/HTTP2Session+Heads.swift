// From header fields to an HTTP/1.1 head: pseudo-header fields become the first line and Host, the
// crumbs of a cookie one field (RFC 9113 8.2.3), a body of unknown length `chunked`, and extended
// CONNECT (RFC 8441) the upgrade that it stands for.

internal import CNGHTTP2

extension RecordPointer where Record == HTTP2SessionRecord {
    func parkAssembly() {
        if it.assembly.isActive {
            it.assembly.park(heads: &it.loop.it.heads, side: it.loop.it.side)
        }
    }

    private func unparkAssembly() {
        if it.assembly.isParked {
            it.assembly.unpark(heads: &it.loop.it.heads, side: &it.loop.it.side)
        }
    }

    func headBegan(_ stream: RecordPointer<HTTP2StreamRecord>) {
        let kind: HTTP2Assembly.Kind =
            stream.it.hasReceivedHead ? .trailers : it.isServer ? .request : .answer
        it.assembly.begin(stream, kind, heads: &it.loop.it.heads, side: &it.loop.it.side)
    }

    /// - Returns: false when the library must stop: the queue of events is full, or the peer has
    ///   gone too far.
    func fieldCame(_ name: RawSpan, _ value: RawSpan) -> Bool {
        guard it.assembly.isActive else { return true }
        unparkAssembly()
        let size = name.byteCount &+ value.byteCount &+ 32
        it.assembly.listBytes &+= size
        let limit =
            it.assembly.kind == .trailers ? Limits.trailerBytes : it.options.headBytes
        if it.assembly.listBytes > limit {
            it.assembly.isTooLarge = true
            if !it.meter.excess(size, now: it.now) {
                fail(.enhanceYourCalm)
                return false
            }
        }
        if !it.assembly.isTooLarge {
            if name.byteCount > 0, name.byte(0) == 0x3A {
                takePseudo(name, value)
            } else {
                beginHead()
                takeField(name, value)
            }
        }
        // A head begun with the queue full goes on when that has been emptied.
        return it.loop.it.isFull(before: it.assembly.start) ? pause() : true
    }

    private func takePseudo(_ name: RawSpan, _ value: RawSpan) {
        let whole = Slice(from: 0, to: name.byteCount)
        if name.equals(whole, ":status") {
            it.assembly.status = 0
            for index in 0..<value.byteCount {
                let digit = UInt16(value.byte(index) &- 0x30)
                it.assembly.status = it.assembly.status &* 10 &+ digit
            }
            return
        }
        let start = it.loop.it.side.count
        it.loop.it.side.append(value)
        let slice = Slice(from: start, to: it.loop.it.side.count)
        if name.equals(whole, ":method") {
            it.assembly.method = slice
        } else if name.equals(whole, ":path") {
            it.assembly.path = slice
            // Only its own first line may name a host or a scheme.
            let first = value.byteCount > 0 ? value.byte(0) : 0
            if first != 0x2F, !(first == 0x2A && value.byteCount == 1) {
                it.assembly.isMalformed = true
            }
        } else if name.equals(whole, ":authority") {
            it.assembly.authority = slice
        } else if name.equals(whole, ":protocol") {
            it.assembly.upgrade = slice
        } else if name.equals(whole, ":scheme") {
            let all = Slice(from: 0, to: value.byteCount)
            if !value.equals(all, "https"), !value.equals(all, "http") {
                it.assembly.isMalformed = true
            }
        }
    }

    /// Writes what the pseudo-header fields said.
    private func beginHead() {
        if it.assembly.hasBegun { return }
        it.assembly.hasBegun = true
        switch it.assembly.kind {
        case .request: beginRequest()
        case .answer: beginAnswer()
        case .trailers: break
        }
    }

    private func beginRequest() {
        let assembly = (it.assembly.method, it.assembly.path, it.assembly.authority)
        let upgrade = it.assembly.upgrade
        let fieldsBefore = it.assembly.fields
        unsafe it.loop.it.side.withBytes { side in
            let side = unsafe side.bytes
            let (method, path, authority) = assembly
            if upgrade.isEmpty {
                it.loop.it.heads.append(side, method)
            } else {
                it.loop.it.heads.append("GET")
            }
            it.loop.it.heads.append(0x20)
            // A plain CONNECT has no path; it is refused as the method it is.
            it.loop.it.heads.append(side, path.isEmpty ? authority : path)
            it.loop.it.heads.append(" HTTP/1.1\r\n")
            if !authority.isEmpty {
                it.loop.it.heads.append("host: ")
                it.loop.it.heads.append(side, authority)
                it.loop.it.heads.appendCRLF()
                it.assembly.fields = fieldsBefore &+ 1
            }
            if !upgrade.isEmpty {
                it.loop.it.heads.append("connection: upgrade\r\nupgrade: ")
                it.loop.it.heads.append(side, upgrade)
                it.loop.it.heads.appendCRLF()
                it.assembly.fields &+= 2
            }
        }
    }

    private func beginAnswer() {
        let upgrades =
            it.assembly.stream?.it.isExtendedConnect == true && it.assembly.status / 100 == 2
        if upgrades {
            it.loop.it.heads.append(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n")
            it.assembly.fields = 2
            return
        }
        it.loop.it.heads.append("HTTP/1.1 ")
        it.loop.it.heads.appendDecimal(UInt64(it.assembly.status))
        it.loop.it.heads.append(" \r\n")
    }

    private func takeField(_ name: RawSpan, _ value: RawSpan) {
        let known = FieldName.classify(name, Slice(from: 0, to: name.byteCount))
        if it.assembly.kind != .trailers {
            switch known {
            case .cookie where it.assembly.kind == .request:
                return takeCrumb(value)
            case .contentLength:
                it.assembly.hasLength = true
            case .priority where it.assembly.kind == .request:
                it.assembly.priority.read(value, from: 0, to: value.byteCount)
            case .host where it.assembly.kind == .request:
                if isAuthority(value) { return }
            default: break
            }
        }
        it.loop.it.heads.appendField(name, value)
        it.assembly.fields &+= 1
    }

    /// RFC 9113 8.3.1: a Host that says something else than `:authority` would be a second meaning.
    private func isAuthority(_ value: RawSpan) -> Bool {
        let authority = it.assembly.authority
        if authority.isEmpty { return false }
        let isSame = unsafe it.loop.it.side.withBytes { side in
            let side = unsafe side.bytes
            guard Int(authority.count) == value.byteCount else { return false }
            for index in 0..<value.byteCount {
                let left = ByteClass.lowercased(side.byte(authority.start &+ index))
                if left != ByteClass.lowercased(value.byte(index)) { return false }
            }
            return true
        }
        if !isSame { it.assembly.isMalformed = true }
        return true
    }

    private func takeCrumb(_ value: RawSpan) {
        if it.assembly.cookies.isEmpty {
            let start = it.loop.it.side.count
            it.assembly.cookies = Slice(from: start, to: start)
        } else {
            it.loop.it.side.append("; ")
        }
        it.loop.it.side.append(value)
        it.assembly.cookies = Slice(
            from: it.assembly.cookies.start, to: it.loop.it.side.count)
    }

    // MARK: The end

    /// The block is complete and within the rules of the library.
    func headEnded(_ stream: RecordPointer<HTTP2StreamRecord>, ends: Bool) {
        guard it.assembly.isActive, it.assembly.stream == stream else { return }
        unparkAssembly()
        beginHead()
        if ends { stream.it.hasReceivedEnd = true }
        it.meter.message()
        switch it.assembly.kind {
        case .request: requestEnded(stream, ends: ends)
        case .answer: answerEnded(stream, ends: ends)
        case .trailers: trailersEnded(stream)
        }
        it.assembly.end()
    }

    private func requestEnded(_ stream: RecordPointer<HTTP2StreamRecord>, ends: Bool) {
        stream.it.hasReceivedHead = true
        let isUpgrade = !it.assembly.upgrade.isEmpty
        stream.it.isExtendedConnect = isUpgrade
        if isUpgrade, it.assembly.hasLength { it.assembly.isMalformed = true }
        if !it.assembly.priority.isEmpty, !stream.it.hasPriorityUpdate {
            stream.it.asked = it.assembly.priority.over(HTTP2Priority())
            applyPriority(of: stream)
        }
        unsafe it.loop.it.side.withBytes { side in
            let side = unsafe side.bytes
            let method = it.assembly.method
            stream.it.isHead = side.isExactly(method, "HEAD")
            let cookies = it.assembly.cookies
            if cookies.isEmpty || it.assembly.isTooLarge { return }
            it.loop.it.heads.append("cookie: ")
            it.loop.it.heads.append(side, cookies)
            it.loop.it.heads.appendCRLF()
            it.assembly.fields &+= 1
        }
        finishHead(stream, .head, ends: ends, isOpenEnded: !ends && !isUpgrade)
    }

    private func answerEnded(_ stream: RecordPointer<HTTP2StreamRecord>, ends: Bool) {
        let status = it.assembly.status
        let isInterim = status < 200
        if !isInterim { stream.it.hasReceivedHead = true }
        let hasNoBody =
            isInterim || status == 204 || status == 304 || stream.it.isHead
            || stream.it.isExtendedConnect
        finishHead(
            stream, isInterim ? .interim : .head, ends: ends, isOpenEnded: !ends && !hasNoBody)
    }

    private func finishHead(
        _ stream: RecordPointer<HTTP2StreamRecord>, _ kind: HTTP2Event.Kind, ends: Bool,
        isOpenEnded: Bool
    ) {
        if it.assembly.isTooLarge || it.loop.it.heads.didOverflow {
            it.loop.it.heads.truncate(to: it.assembly.start)
            return push(.headTooLarge, stream, ends: ends)
        }
        if it.assembly.isMalformed {
            it.loop.it.heads.truncate(to: it.assembly.start)
            return reset(stream, .protocolError)
        }
        if isOpenEnded, !it.assembly.hasLength {
            it.loop.it.heads.append("transfer-encoding: chunked\r\n")
            it.assembly.fields &+= 1
        }
        it.loop.it.heads.appendCRLF()
        let slice = Slice(from: it.assembly.start, to: it.loop.it.heads.count)
        push(kind, stream, slice: slice, ends: ends, fields: it.assembly.fields)
    }

    private func trailersEnded(_ stream: RecordPointer<HTTP2StreamRecord>) {
        if it.assembly.isTooLarge {
            it.loop.it.heads.truncate(to: it.assembly.start)
            return reset(stream, .enhanceYourCalm)
        }
        if it.assembly.fields == 0 {
            if !it.loop.it.markEnd(of: stream) { push(.end, stream, ends: true) }
            return
        }
        it.loop.it.heads.appendCRLF()
        let slice = Slice(from: it.assembly.start, to: it.loop.it.heads.count)
        push(.trailers, stream, slice: slice, ends: true, fields: it.assembly.fields)
    }
}
