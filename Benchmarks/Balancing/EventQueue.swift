// What is to happen, soonest first: a binary heap. Events of one instant come in the order in which
// they were added, so that a seed gives one run.

struct EventQueue {
    struct Event {
        var time: Double
        var order: Int
        var request: Int32
        var replica: Int32
    }

    private var heap: [Event] = []
    private var added = 0

    mutating func add(_ time: Double, request: Int32, replica: Int32) {
        added += 1
        heap.append(Event(time: time, order: added, request: request, replica: replica))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return first }
            let right = left + 1
            let child = right < heap.count && isBefore(right, left) ? right : left
            guard isBefore(child, parent) else { return first }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    private func isBefore(_ one: Int, _ two: Int) -> Bool {
        let (a, b) = (heap[one], heap[two])
        return a.time < b.time || a.time == b.time && a.order < b.order
    }
}
