/// The weight of messages as JSON, so that pages are bounded by bytes before anything is encoded.
extension Message {
    /// Bytes of its JSON, at most.
    public var encodedBytes: Int {
        // Names of members, numbers and the id.
        224 + roomID.value.jsonBytes + body.author.value.jsonBytes + body.username.jsonBytes + body.text.jsonBytes
            + body.kind.jsonBytes + (body.clientMessageID?.jsonBytes ?? 0) + (body.replyTo?.jsonBytes ?? 0)
            + (body.metadata?.utf8.count ?? 0) + body.mentions.jsonBytes + (state?.encodedBytes ?? 0)
    }
}

extension MessageState {
    fileprivate var encodedBytes: Int {
        reactions.reduce(192) { $0 + 64 + $1.emoji.value.jsonBytes + $1.users.jsonBytes }
    }
}

extension RoomLogEntry {
    /// Bytes of its JSON, at most.
    public var encodedBytes: Int {
        switch self {
        case .message(let message): message.encodedBytes
        case .change(let change): change.encodedBytes
        }
    }
}

extension MessageChange {
    fileprivate var encodedBytes: Int {
        var bytes = 384 + roomID.value.jsonBytes + user.userID.value.jsonBytes + user.username.jsonBytes
        switch kind {
        case .edited(let edit):
            bytes += edit.text.jsonBytes + (edit.metadata?.utf8.count ?? 0) + edit.mentions.jsonBytes
        case .reaction(let reaction):
            bytes += reaction.emoji.value.jsonBytes + (reaction.successor?.value.jsonBytes ?? 0)
        case .deleted, .pinned: break
        }
        return bytes + (clientMessageID?.jsonBytes ?? 0)
    }
}

extension [UserID] {
    fileprivate var jsonBytes: Int { isEmpty ? 0 : reduce(16) { $0 + 3 + $1.value.jsonBytes } }
}

extension String {
    /// Bytes it takes inside the quotes of a JSON string (RFC 8259, section 7), with control characters as `\u00XX`.
    public var jsonBytes: Int {
        utf8.withContiguousStorageIfAvailable(Self.jsonBytes) ?? Self.jsonBytes(utf8)
    }

    private static func jsonBytes(_ bytes: some Collection<UInt8>) -> Int {
        var count = 0
        for byte in bytes {
            count &+= byte < 0x20 ? 6 : byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return count
    }
}

/// Takes what a page is made of until it weighs enough.
public struct PageBudget: Sendable {
    private var left: Int
    private var isEmpty = true
    /// Something did not fit any more.
    public private(set) var isSpent = false

    /// - Parameter bytes: what a page may weigh. The first piece is taken whatever it weighs, so that every page is a step
    ///   forward.
    public init(bytes: Int = HistoryPage.maximumBytes) { left = bytes }

    /// Whether a piece of so many bytes is taken; after the first that is not, none is.
    public mutating func takes(_ bytes: Int) -> Bool {
        guard !isSpent else { return false }
        left -= bytes
        isSpent = left < 0 && !isEmpty
        isEmpty = false
        return !isSpent
    }
}

extension BidirectionalCollection<Message> {
    /// The newest of these that make a page.
    func newestPage() -> [Message] {
        var budget = PageBudget()
        return suffix(reversed().prefix { budget.takes($0.encodedBytes) }.count).map(\.self)
    }
}
