/// A value for each of the latest messages. Past the capacity the message that came first is dropped.
package struct LatestMessages<Value> {
    private var values: [MessageID: Value] = [:]
    /// In order of arrival. Once it is full, the next message replaces the one at `oldest`.
    private var ring: [MessageID] = []
    private var oldest = 0
    private let capacity: Int

    /// - Parameter capacity: at least one message is kept.
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    package var isEmpty: Bool { values.isEmpty }

    package subscript(message: MessageID) -> Value? { values[message] }

    package mutating func insert(_ value: Value, of message: MessageID) {
        if values[message] == nil { makePlace(for: message) }
        values[message] = value
    }

    /// Changes the value of a message that is kept; nil for another.
    @discardableResult
    package mutating func update<Result>(_ message: MessageID, _ body: (inout Value) -> Result) -> Result? {
        guard let index = values.index(forKey: message) else { return nil }
        return body(&values.values[index])
    }

    private mutating func makePlace(for message: MessageID) {
        guard ring.count == capacity else { return ring.append(message) }
        values[ring[oldest]] = nil
        ring[oldest] = message
        oldest = (oldest + 1) % capacity
    }
}
