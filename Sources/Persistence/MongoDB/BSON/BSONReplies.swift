/// Replies of commands.
extension BSONDocument {
    /// The server's code in an error; 0 for none.
    var errorCode: Int { Int(clamping: self["code"]?.integer ?? 0) }

    /// How many documents a write's reply says it matched, made or removed.
    var affected: Int { Int(clamping: self["n"]?.integer ?? 0) }

    /// Which of a command's `count` parts an error in its reply is about; nil for none of them.
    func index(below count: Int) -> Int? {
        self["index"]?.integer.flatMap { Int(exactly: $0) }.flatMap { (0..<count).contains($0) ? $0 : nil }
    }
}
