import ChatDomain
import Testing

@testable import PersistenceSQLite

@Suite struct AuthorMarksTests {
    private var marks = AuthorMarks()
    private let start = ContinuousClock.now
    private let place = AuthorMarks.Place(room: "a", user: "ann")
    private let other = AuthorMarks.Place(room: "a", user: "bob")

    @Test mutating func manyMessagesAreOneMark() {
        marks.note(1, at: place)
        let isFirst = marks.committed(at: start)
        marks.note(3, at: place)
        marks.note(2, at: other)
        let isSecond = marks.committed(at: start + .milliseconds(5))
        #expect(isFirst && !isSecond, "the writer is woken once")
        #expect(marks.sequence(at: place) == 3 && marks.sequence(at: other) == 2)
        #expect(!marks.isDue(at: start + .milliseconds(999)) && marks.isDue(at: start + AuthorMarks.interval))
        let written = marks.take().map(\.sequence)
        marks.note(4, at: other)
        let isNew = marks.committed(at: start + .seconds(2))
        let rest = marks.take().map(\.sequence)
        #expect(written == [3, 2] && isNew && rest == [4], "what came meanwhile waits for its own time")
    }

    @Test mutating func whatIsRolledBackMovesNoMark() {
        marks.note(1, at: place)
        _ = marks.committed(at: start)
        marks.note(9, at: place)
        let attempted = marks.take().map(\.sequence)
        #expect(attempted == [1])
        marks.rolledBack()
        #expect(!marks.isEmpty && marks.sequence(at: place) == 1, "the mark of the durable message still waits")
        _ = marks.take()
        _ = marks.committed(at: start)
        #expect(marks.isEmpty && !marks.isDue(at: start + .seconds(9)))
    }

    @Test mutating func manyMarksDoNotWait() {
        for number in 0..<5000 { marks.note(1, at: .init(room: RoomID(unchecked: "r\(number)"), user: "ann")) }
        _ = marks.committed(at: start)
        #expect(marks.isDue(at: start))
    }
}
