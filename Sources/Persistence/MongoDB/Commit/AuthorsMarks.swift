import ChatDomain

extension WriteBehind where Key == MongoConnection.MarkPlace, Value == SequenceNumber {
    /// Moves authors' read marks after their messages are stored. In the same step they would cost each message a round trip.
    static func authorsMarks(_ workers: MongoWorkers) -> Self {
        Self(workers: workers, pacing: Pacing(interval: .milliseconds(100), pausePerWork: 3, slice: 200), isNewer: >) {
            connection, marks throws(MongoError) in
            _ = try connection.advance(
                marks.map { ($0.key.room, ReadMark(userID: $0.key.user, sequence: $0.value)) })
        }
    }
}
