// What the loops count, where everybody may read it: one padded row of cells per loop, written
// with plain relaxed stores by that loop only (a locked add costs 5 ns, a store 0.1) and read with
// relaxed loads from any thread. Histogram blocks of 64 cells appear with their first sample.
// The one file of Traffic that touches memory by pointer; the classes own it, handles borrow it.

import Synchronization

/// One word written by one loop and read by all.
private typealias Cell = UnsafeMutablePointer<Atomic<UInt64>>

/// The counters and latencies of one endpoint (or service), over all loops.
package final class EndpointMeter: Sendable {
    private let rows: Rows

    /// - Precondition: `loops` is positive.
    package init(loops: Int) {
        rows = Rows(loops: loops, words: Word.count)
    }

    deinit {
        for loop in 0..<rows.loops {
            MeterHandle(row: rows.row(loop)).freeBlocks()
        }
    }

    /// The row of one loop. Valid while the meter lives; only that loop may record through it.
    package func handle(loop: Int) -> MeterHandle {
        MeterHandle(row: rows.row(loop))
    }

    /// Everything counted so far, merged over the loops. Counters of one moment may be off by the
    /// few samples that were being written.
    package func measures() -> Measures {
        var merged = Measures()
        for loop in 0..<rows.loops {
            MeterHandle(row: rows.row(loop)).add(to: &merged)
        }
        return merged
    }
}

/// One loop's row of an `EndpointMeter`: trivial, a few nanoseconds a call, no reference counting.
@safe package struct MeterHandle: @unchecked Sendable {
    fileprivate let row: Row

    fileprivate init(row: Row) {
        self.row = row
    }

    /// One finished try or request. A `status` outside 100...599 counts no status class.
    @inline(__always)
    package func record(outcome: Outcome, status: Int) {
        row.add(1, to: Word.outcomes &+ Int(outcome.rawValue))
        if status >= 100, status < 600 {
            row.add(1, to: Word.statusClasses &+ status / 100 &- 1)
        }
    }

    /// One finished gRPC call; a `status` outside 0...16 counts as none.
    package func recordGRPC(status: Int, nanoseconds: Int64) {
        guard status >= 0, status < Limits.grpcStatuses else { return }
        let table =
            row.pointer(Word.grpc)
            ?? row.grow(Word.grpc, words: Limits.grpcStatuses * Word.wordsPerHistogram)
        table.record(nanoseconds, histogram: status &* Word.wordsPerHistogram)
    }

    @inline(__always)
    package func recordTotal(_ nanoseconds: Int64) {
        row.record(nanoseconds, histogram: Word.total)
    }

    @inline(__always)
    package func recordFirstByte(_ nanoseconds: Int64) {
        row.record(nanoseconds, histogram: Word.firstByte)
    }

    @inline(__always)
    package func recordConnect(_ nanoseconds: Int64) {
        row.record(nanoseconds, histogram: Word.connect)
    }

    /// Of a token stream, from its request's head.
    package func recordFirstToken(_ nanoseconds: Int64) {
        row.record(nanoseconds, histogram: Word.firstToken)
    }

    package func recordBetweenTokens(_ nanoseconds: Int64) {
        row.record(nanoseconds, histogram: Word.betweenTokens)
    }

    /// One finished token stream.
    package func addTokens(events: UInt64, prompt: UInt64, completion: UInt64) {
        row.add(1, to: Word.streams)
        row.add(events, to: Word.streamEvents)
        row.add(prompt, to: Word.promptTokens)
        row.add(completion, to: Word.completionTokens)
    }

    @inline(__always)
    package func addBytes(received: UInt64, sent: UInt64) {
        row.add(received, to: Word.bytesReceived)
        row.add(sent, to: Word.bytesSent)
    }

    fileprivate func add(to measures: inout Measures) {
        for index in measures.outcomes.indices {
            measures.outcomes[index] &+= row.load(Word.outcomes + index)
        }
        for index in measures.statusClasses.indices {
            measures.statusClasses[index] &+= row.load(Word.statusClasses + index)
        }
        measures.bytesReceived &+= row.load(Word.bytesReceived)
        measures.bytesSent &+= row.load(Word.bytesSent)
        row.add(histogram: Word.total, to: &measures.total)
        row.add(histogram: Word.firstByte, to: &measures.firstByte)
        row.add(histogram: Word.connect, to: &measures.connect)
        row.add(histogram: Word.firstToken, to: &measures.firstToken)
        row.add(histogram: Word.betweenTokens, to: &measures.betweenTokens)
        measures.streams &+= row.load(Word.streams)
        measures.streamEvents &+= row.load(Word.streamEvents)
        measures.promptTokens &+= row.load(Word.promptTokens)
        measures.completionTokens &+= row.load(Word.completionTokens)
        addGRPC(to: &measures)
    }

    private func addGRPC(to measures: inout Measures) {
        guard let table = row.pointer(Word.grpc) else { return }
        for status in 0..<Limits.grpcStatuses {
            table.add(
                histogram: status * Word.wordsPerHistogram, to: &measures.grpcLatencies[status])
        }
    }

    fileprivate func freeBlocks() {
        let histograms = [
            Word.total, Word.firstByte, Word.connect, Word.firstToken, Word.betweenTokens,
        ]
        for histogram in histograms { row.free(histogram: histogram) }
        guard let table = row.pointer(Word.grpc) else { return }
        for status in 0..<Limits.grpcStatuses {
            table.free(histogram: status * Word.wordsPerHistogram)
        }
        table.free()
    }
}

/// Plain counters and gauges of the loops: `count` of them, each with one word per loop.
package final class SharedCounters: Sendable {
    private let rows: Rows
    private let count: Int

    /// - Precondition: both are positive.
    package init(count: Int, loops: Int) {
        self.count = count
        rows = Rows(loops: loops, words: count)
    }

    /// One loop's word of a counter. Valid while the counters live; only that loop may write it.
    package func counter(_ index: Int, loop: Int) -> SharedCounter {
        precondition((0..<count).contains(index), "a counter's index is below the count")
        return SharedCounter(row: rows.row(loop), word: index)
    }

    /// The sum over loops. A gauge may rise on one loop and fall on another: the sum is right.
    package func sum(_ index: Int) -> UInt64 {
        (0..<rows.loops).reduce(0) { $0 &+ counter(index, loop: $1).value }
    }

    /// The sum over loops as a signed gauge.
    package func gauge(_ index: Int) -> Int { Int(truncatingIfNeeded: sum(index)) }

    package func smallest(_ index: Int) -> UInt64 {
        (0..<rows.loops).reduce(.max) { min($0, counter(index, loop: $1).value) }
    }

    package func largest(_ index: Int) -> UInt64 {
        (0..<rows.loops).reduce(0) { max($0, counter(index, loop: $1).value) }
    }
}

/// One word of `SharedCounters`: the owning loop writes, anybody reads. Arithmetic wraps.
@safe package struct SharedCounter: @unchecked Sendable {
    private let row: Row
    private let word: Int

    fileprivate init(row: Row, word: Int) {
        self.row = row
        self.word = word
    }

    @inline(__always) package var value: UInt64 { row.load(word) }
    @inline(__always) package func increment() { row.add(1, to: word) }
    @inline(__always) package func decrement() { row.add(.max, to: word) }
    @inline(__always) package func add(_ amount: UInt64) { row.add(amount, to: word) }
    @inline(__always) package func set(_ value: UInt64) { row.store(value, to: word) }
}

/// Where each number stands in a loop's row; a histogram takes three words.
private enum Word {
    static let outcomes = 0
    static let statusClasses = 7
    static let bytesReceived = 12
    static let bytesSent = 13
    static let total = 14
    static let firstByte = 17
    static let connect = 20
    static let firstToken = 23
    static let betweenTokens = 26
    static let streams = 29
    static let streamEvents = 30
    static let promptTokens = 31
    static let completionTokens = 32
    /// Address of a table with a histogram per status, made with the first call.
    static let grpc = 33
    static let count = 34

    // Within a histogram.
    static let wordsPerHistogram = 3
    static let sum = 0
    static let max = 1
    /// Address of the table of blocks, itself made with the first sample.
    static let index = 2
}

/// Words in a row or a block, addressed by place. Callers keep places in bounds.
@safe private struct Row {
    private let cells: Cell

    init(words: Int, alignment: Int) {
        let bytes = words * MemoryLayout<Atomic<UInt64>>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
        unsafe cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: words)
        for word in 0..<words { unsafe (cells + word).initialize(to: Atomic(0)) }
    }

    private init(cells: Cell) {
        unsafe self.cells = cells
    }

    @inline(__always)
    func load(_ word: Int) -> UInt64 {
        unsafe cells[word].load(ordering: .relaxed)
    }

    @inline(__always)
    func store(_ value: UInt64, to word: Int) {
        unsafe cells[word].store(value, ordering: .relaxed)
    }

    /// A load and a store: right because the row has one writer.
    @inline(__always)
    func add(_ amount: UInt64, to word: Int) {
        store(load(word) &+ amount, to: word)
    }

    /// The block whose address stands in a word. Acquiring: pairs with `grow`.
    @inline(__always)
    func pointer(_ word: Int) -> Row? {
        let address = unsafe UInt(truncatingIfNeeded: cells[word].load(ordering: .acquiring))
        guard let block = unsafe Cell(bitPattern: address) else { return nil }
        return unsafe Row(cells: block)
    }

    /// Allocates a zeroed block and publishes its address in a word.
    @inline(never)
    func grow(_ word: Int, words: Int) -> Row {
        let block = Row(words: words, alignment: 64)
        let address = UInt64(UInt(bitPattern: unsafe block.cells))
        unsafe cells[word].store(address, ordering: .releasing)
        return block
    }

    func advanced(by words: Int) -> Row {
        unsafe Row(cells: cells + words)
    }

    func free() {
        unsafe UnsafeMutableRawPointer(cells).deallocate()
    }
}

// Histograms within a row: three words each, and blocks of buckets beyond it.
extension Row {
    @inline(__always)
    func record(_ nanoseconds: Int64, histogram: Int) {
        let value = UInt64(truncatingIfNeeded: max(0, nanoseconds))
        add(value, to: histogram &+ Word.sum)
        if value > load(histogram &+ Word.max) { store(value, to: histogram &+ Word.max) }
        let bucket = LatencyScale.bucket(of: nanoseconds)
        let block = bucket / LatencyScale.bucketsPerBlock
        var index = pointer(histogram &+ Word.index)
        if index == nil {
            index = grow(histogram &+ Word.index, words: LatencyScale.blocks)
        }
        guard let index else { return }
        let cells = index.pointer(block) ?? index.grow(block, words: LatencyScale.bucketsPerBlock)
        cells.add(1, to: bucket % LatencyScale.bucketsPerBlock)
    }

    func add(histogram word: Int, to histogram: inout LatencyHistogram) {
        guard let index = pointer(word + Word.index) else { return }
        for block in 0..<LatencyScale.blocks {
            guard let cells = index.pointer(block) else { continue }
            for cell in 0..<LatencyScale.bucketsPerBlock {
                histogram.add(
                    cells.load(cell), toBucket: block * LatencyScale.bucketsPerBlock + cell)
            }
        }
        histogram.addTotals(
            sum: load(word + Word.sum), max: Int64(clamping: load(word + Word.max)))
    }

    func free(histogram word: Int) {
        guard let index = pointer(word + Word.index) else { return }
        for block in 0..<LatencyScale.blocks { index.pointer(block)?.free() }
        index.free()
    }
}

/// One row per loop, each starting on lines of its own (128 bytes: lines are fetched in pairs).
private final class Rows: @unchecked Sendable {
    let loops: Int
    private let words: Int
    private let first: Row

    init(loops: Int, words: Int) {
        precondition(loops > 0 && words > 0, "there is a loop and something to count")
        self.loops = loops
        self.words = (words + 15) / 16 * 16
        first = Row(words: loops * self.words, alignment: 128)
    }

    deinit { first.free() }

    func row(_ loop: Int) -> Row {
        precondition((0..<loops).contains(loop), "a loop's number is below the number of loops")
        return first.advanced(by: loop * words)
    }
}
