/// How far users of a room have read: the newest marks, as many as a joining session is shown.
public struct ReadMarkBoard: Sendable {
    public static let capacity = 50

    private var marks: [UserID: SequenceNumber] = [:]

    public init(_ marks: [ReadMark] = []) {
        for mark in marks { note(mark) }
    }

    /// Takes a mark; one that is behind the user's own is passed over.
    public mutating func note(_ mark: ReadMark) {
        guard mark.sequence > marks[mark.userID] ?? 0 else { return }
        marks[mark.userID] = mark.sequence
        // In blocks: sorting costs more than keeping a few too many.
        guard marks.count >= 4 * Self.capacity else { return }
        self = ReadMarkBoard(newest)
    }

    /// The furthest first; of equals, in the order of their users.
    public var newest: [ReadMark] {
        let all = marks.map { ReadMark(userID: $0, sequence: $1) }
        let sorted = all.sorted {
            $0.sequence != $1.sequence ? $0.sequence > $1.sequence : $0.userID.value < $1.userID.value
        }
        return Array(sorted.prefix(Self.capacity))
    }
}
