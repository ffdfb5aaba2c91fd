/// Where messages stand in the search index: the later the message, the higher its position.
///
/// New messages are appended from 0 upwards. Those that the file held before it had an index follow below, the newest first.
struct SearchPositions {
    /// The position of the next new message.
    private(set) var next: Int64
    /// The position of the next older one.
    private(set) var nextOlder: Int64
    /// Whether older messages are left without a position.
    var hasBacklog: Bool
    /// The segment to build next among the newer ones, and among the older ones.
    private var nextBuild: Int64
    private var nextOlderBuild: Int64

    /// - Parameters:
    ///   - positions: the lowest and the highest that are taken; nil for none.
    ///   - built: the lowest and the highest segment that is built; nil for none.
    init(positions: ClosedRange<Int64>?, built: ClosedRange<Int64>?, hasBacklog: Bool) {
        nextOlder = min(-1, (positions?.lowerBound ?? 0) &- 1)
        nextBuild = max(0, (built?.upperBound ?? -1) &+ 1)
        nextOlderBuild = min(-1, (built?.lowerBound ?? 0) &- 1)
        // A segment that is built gets no more messages, whatever the file has of those that it had.
        next = max(SearchSegment.positions(nextBuild).lowerBound, (positions?.upperBound ?? -1) &+ 1)
        self.hasBacklog = hasBacklog
    }

    /// Takes new positions.
    ///
    /// - Parameter end: the one behind them.
    mutating func append(upTo end: Int64) { next = max(next, end) }

    mutating func appendOlder() -> Int64 {
        defer { nextOlder &-= 1 }
        return nextOlder
    }

    /// A segment that gets no more messages and is not built; nil for none.
    var buildable: Int64? {
        if SearchSegment.positions(nextBuild).upperBound < next { return nextBuild }
        let older = SearchSegment.positions(nextOlderBuild)
        let isComplete = nextOlder < older.lowerBound || !hasBacklog && nextOlder < older.upperBound
        return isComplete ? nextOlderBuild : nil
    }

    /// Positions that were given may be free again, which does no harm. But the older messages may not be all there.
    mutating func rolledBack() { hasBacklog = hasBacklog || nextOlder < -1 }

    mutating func didBuild(_ segment: Int64) {
        if segment >= 0 { nextBuild = segment + 1 } else { nextOlderBuild = segment - 1 }
    }
}
