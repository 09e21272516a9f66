// Whole pieces in order, refusals when full, and never a sleeping reader with bytes in the ring.

import Reactor
import Synchronization
import Testing

@Suite struct ByteRingTests {
    @Test func `pieces come out whole and in order, also around the end of the memory`() throws {
        let ring = ByteRing(capacity: 16, doorbell: try Doorbell())
        defer { ring.free() }
        var seen = ""
        for piece in ["0123456789", "abcdefghij", "KLMNOPQRSTUVWXYZ", ""] {
            #expect(ring.append(piece) && ring.isEmpty == piece.isEmpty)
            let count = ring.drain { seen += $0.text }
            #expect(count == piece.utf8.count)
        }
        #expect(seen == "0123456789abcdefghijKLMNOPQRSTUVWXYZ" && ring.isEmpty)
    }

    @Test func `what does not fit is refused whole and counted`() throws {
        let ring = ByteRing(capacity: 16, doorbell: try Doorbell())
        defer { ring.free() }
        #expect(ring.append("0123456789"))
        #expect(!ring.append("abcdefg") && !ring.append("01234567890123456"))
        #expect(ring.append("abcdef") && ring.refused == 2)
        var seen = ""
        _ = ring.drain { seen += $0.text }
        #expect(seen == "0123456789abcdef")
    }

    @Test func `the reader is woken when it asked to be, and once`() throws {
        let doorbell = try Doorbell()
        let ring = ByteRing(capacity: 16, doorbell: doorbell)
        defer { ring.free() }
        #expect(ring.append("a") && !isRinging(doorbell))
        ring.arm(.whenHalfFull)
        #expect(ring.append("bc") && !isRinging(doorbell))
        #expect(ring.append("defghijk") && isRinging(doorbell))
        #expect(ring.append("l") && !isRinging(doorbell))
        _ = ring.drain { _ in }
        ring.arm(.whenNotEmpty)
        #expect(ring.append("m") && isRinging(doorbell))
    }

    @Test func `a reader that sleeps whenever the ring is empty misses nothing`() throws {
        let doorbell = try Doorbell()
        let ring = ByteRing(capacity: 256, doorbell: doorbell)
        defer { ring.free() }
        let pieces = 20_000
        let writer = LoopThread.start(name: "writer") {
            var sent = 0
            while sent < pieces {
                if ring.append(sent % 2 == 0 ? "abc" : "defgh") { sent += 1 }
            }
        }
        let total = pieces * 4
        var count = 0
        var isOrdered = true
        while count < total {
            let moved = ring.drain { bytes in
                for byte in bytes.text.utf8 {
                    isOrdered = isOrdered && byte == [UInt8]("abcdefgh".utf8)[count % 8]
                    count += 1
                }
            }
            guard moved == 0 else { continue }
            ring.arm(.whenNotEmpty)
            if ring.isEmpty && count < total { doorbell.wait(milliseconds: 10_000) }
        }
        writer.join()
        #expect(isOrdered && count == total)
    }
}

private func isRinging(_ doorbell: Doorbell) -> Bool {
    guard var poller = try? Poller() else { return false }  // No poller: the test fails anyway.
    do throws(SystemError) {
        try poller.addLevelTriggered(doorbell.descriptor, token: 0)
        let isRung = try poller.wait(milliseconds: 0) == 1
        doorbell.wait(milliseconds: 0)
        return isRung
    } catch {
        return false
    }
}

extension ByteRing {
    fileprivate func append(_ text: String) -> Bool {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe append(Bytes($0)) }
    }
}

extension Bytes {
    fileprivate var text: String {
        unsafe String(decoding: buffer, as: UTF8.self)
    }
}
