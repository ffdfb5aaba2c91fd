import ChatDomain

/// The terms that a message had and has no more, and those that it has and had not.
///
/// Kept as bytes: a set of strings would cost more than all else that an edit writes.
struct TermDifference {
    enum Change {
        case removed
        case added
    }

    /// The message before and after, each as a message of a segment of its own.
    private static let (former, present) = (0, 1)

    private var lists = PostingLists()
    private var scanner = TermScanner()

    /// Takes the terms of the message before. To be called first.
    mutating func addFormer(_ text: String, author: UserID, room: Int64) {
        add(text, author, room, to: Self.former)
    }

    mutating func addPresent(_ text: String, author: UserID, room: Int64) {
        add(text, author, room, to: Self.present)
    }

    private mutating func add(_ text: String, _ author: UserID, _ room: Int64, to side: Int) {
        var (text, author) = (text, author.value)
        text.withUTF8 { text in
            author.withUTF8 { author in
                scanner.scan(UnsafeRawBufferPointer(text), author: UnsafeRawBufferPointer(author), room: room) {
                    lists.add($0, side)
                }
            }
        }
    }

    /// Calls `body` with each term that only one of the two has, in any order. Its bytes, in UTF-8, are valid during the call.
    func forEach<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Change) throws(Failure) -> Void
    ) throws(Failure) {
        var list: [UInt8] = []
        for index in 0..<lists.count {
            try lists.withList(at: index, using: &list) { term, documents throws(Failure) in
                // A document is two bytes.
                guard documents.count == 2 else { return }
                try body(term, documents[0] == Self.former ? .removed : .added)
            }
        }
    }
}
