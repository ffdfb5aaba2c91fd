/// Replies of commands.
extension BSONDocument {
    /// The errors of single documents in the reply of a command that writes.
    var writeErrors: [BSONDocument] { (self["writeErrors"]?.array ?? []).map { $0.document ?? [:] } }

    /// The server's code in an error; 0 for none.
    var errorCode: Int { Int(clamping: self["code"]?.integer ?? 0) }

    /// How many documents a write matched, made or removed, by its reply.
    var affected: Int { Int(clamping: self["n"]?.integer ?? 0) }

    /// The index of the document that an error is about; nil if it is not below `count`.
    func index(below count: Int) -> Int? {
        self["index"]?.integer.flatMap { Int(exactly: $0) }.flatMap { (0..<count).contains($0) ? $0 : nil }
    }
}
