/// An identifier as clients name it: 1–128 characters of text (Unicode scalars, so 512 bytes at most) without control
/// characters.
///
/// Identifiers are strings inside the server; a numeric id from a client means its decimal string. They are equal, and
/// ordered, byte by byte.
public protocol ClientIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    var value: String { get }
    /// Takes `value` as it is. Use `init(validating:field:)` for anything that came from outside.
    init(unchecked value: String)
}

extension ClientIdentifier {
    public static var maximumCharacters: Int { 128 }

    public var description: String { value }

    /// As databases compare: canonically equivalent texts are different ids, or one user could pass for another.
    public static func == (a: Self, b: Self) -> Bool { a.value.hasSameBytes(as: b.value) }

    /// As databases sort.
    public static func < (a: Self, b: Self) -> Bool { a.value.utf8.lexicographicallyPrecedes(b.value.utf8) }

    public func hash(into hasher: inout Hasher) {
        var value = value
        value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// - Parameter field: the field's name in the contract, for the error's text.
    /// - Throws: `bad_request` when `value` is empty, longer than 128 characters or holds a control character.
    public init(validating value: String, field: String) throws(ChatError) {
        guard !value.isEmpty else { throw .badRequest("\(field) must not be empty") }
        try ShortText.check(value, field: field, maximumCharacters: Self.maximumCharacters)
        self.init(unchecked: value)
    }
}

public struct UserID: ClientIdentifier {
    public let value: String
    public init(unchecked value: String) { self.value = value }
}

public struct RoomID: ClientIdentifier {
    public let value: String
    public init(unchecked value: String) { self.value = value }
}

/// The public name of one session (`socketId` on the wire); it starts with its instance's id.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { value }
}

/// One running server process. Short, because it is a prefix of every session id: 1–16 letters, digits, `-` or `_`.
public struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { value }
}

/// A message's number within its room: 1, 2, 3 … without holes. 0 stands for "before the first".
public typealias SequenceNumber = Int64

/// Which numbers there are. Stores, caches and other instances may say anything; past these checks sums and differences of
/// numbers cannot overflow.
public enum MessageNumbers {
    /// The numbers a message may have: up to 2^53 − 1, the largest integer that every JSON reader keeps exactly.
    public static let valid: ClosedRange<SequenceNumber> = 1...9_007_199_254_740_991

    /// The number of a message as it was stored; nil for what no message can have.
    public static func message(_ stored: Int64?) -> SequenceNumber? { stored.flatMap { valid.contains($0) ? $0 : nil } }

    /// A number messages begin behind, or were read up to, as it was stored: 0 or a message's; nil for everything else.
    public static func boundary(_ stored: Int64?) -> SequenceNumber? { stored == 0 ? 0 : message(stored) }

    /// The same, with 0 for everything else.
    public static func mark(_ stored: Int64?) -> SequenceNumber { message(stored) ?? 0 }
}
