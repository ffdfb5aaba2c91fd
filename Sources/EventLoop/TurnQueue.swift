/// What a turn gathers to handle together. Two buffers change places, so that a turn allocates nothing.
public struct TurnQueue<Element> {
    private var gathered: [Element] = []
    private var spare: [Element] = []

    public init() {}

    public var isEmpty: Bool { gathered.isEmpty }

    @inline(__always)
    public mutating func append(_ element: Element) { gathered.append(element) }

    /// Takes out what was gathered; what comes meanwhile is gathered anew. Give the batch back when it is handled.
    public mutating func take() -> [Element] {
        swap(&gathered, &spare)
        defer { spare = [] }
        return spare
    }

    /// Keeps a batch's memory for a later one, unless it was an unusual lot.
    public mutating func recycle(_ batch: inout [Element]) {
        batch.removeAll(keepingCapacity: batch.count <= 4096)
        swap(&spare, &batch)
    }
}
