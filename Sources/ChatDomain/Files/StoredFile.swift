/// A file's id: 32 lower-case hex digits, random, so that it cannot be guessed.
public struct FileID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// nil for anything but 32 lower-case hex digits.
    public init?(_ text: some StringProtocol) {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        guard text.utf8.count == 32, text.utf8.allSatisfy(isDigit) else { return nil }
        self.text = String(text)
    }

    public var description: String { text }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

/// A complete file in a room, and who put it there. Stores decode it from data that others may have written.
public struct StoredFile: Hashable, Sendable {
    public var id: FileID
    public var roomID: RoomID
    /// The user that uploaded it.
    public var owner: UserID
    /// As `FileName` makes it.
    public var name: String
    /// As `MediaType` makes it; for an image the type that its bytes show.
    public var contentType: String
    /// Bytes of its content, at least 1.
    public var size: Int64
    /// The SHA-256 digest of its content, 64 lower-case hex digits.
    public var sha256: String
    /// nil unless it is an image of a known type.
    public var dimensions: ImageDimensions?
    public var uploadedAt: Timestamp
    /// Whether a message refers to it. One that none refers to is removed after a while.
    public var isReferenced: Bool

    public init(
        id: FileID, roomID: RoomID, owner: UserID, name: String, contentType: String, size: Int64, sha256: String,
        dimensions: ImageDimensions? = nil, uploadedAt: Timestamp, isReferenced: Bool = false
    ) {
        self.id = id
        self.roomID = roomID
        self.owner = owner
        self.name = name
        self.contentType = contentType
        self.size = size
        self.sha256 = sha256
        self.dimensions = dimensions
        self.uploadedAt = uploadedAt
        self.isReferenced = isReferenced
    }
}

/// The width and height of an image in pixels, each at least 1.
public struct ImageDimensions: Hashable, Sendable {
    /// Images of more pixels are not shown: they take gigabytes of memory where they are decoded.
    public static let maximumPixels = 100_000_000

    public let width: Int
    public let height: Int

    /// nil for an image without pixels, or with more than `maximumPixels`.
    public init?(width: Int, height: Int) {
        guard width > 0, height > 0, width <= Self.maximumPixels / height else { return nil }
        self.width = width
        self.height = height
    }

    /// The dimensions as a store gives them back; nil unless both are there and fit.
    package init?(width: Int64?, height: Int64?) {
        guard let width = width.flatMap({ Int(exactly: $0) }), let height = height.flatMap({ Int(exactly: $0) })
        else { return nil }
        self.init(width: width, height: height)
    }
}
