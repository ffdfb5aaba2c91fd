import ChatDomain
import ChatProtocol
import JSON

/// What the directory knows of a file: a JSON object in the file's first bytes, so that content and description come and go
/// together. Spaces fill the rest of the header.
enum FileHeader {
    /// Bytes of the header; the content lies behind it. One page, and more than any description takes.
    static let byteCount = 8192

    /// nil for a description that is too long.
    static func encode(_ file: StoredFile) -> [UInt8]? {
        var out = JSONWriter(reserving: 1024)
        out.object { out in
            out.place(of: file)
            out.describe(file)
            out.member("uploadedAt", file.uploadedAt.milliseconds)
        }
        guard out.bytes.count < byteCount else { return nil }
        return out.bytes + repeatElement(UInt8(ascii: " "), count: byteCount - 1 - out.bytes.count) + [10]
    }

    /// nil for bytes that describe no file, or another than `id`.
    ///
    /// - Parameter size: bytes of content that are there.
    static func decode(_ bytes: [UInt8], id: FileID, size: Int64, isReferenced: Bool) -> StoredFile? {
        guard let json = try? JSONValue(parsing: bytes), json["fileId"]?.string == id.text,
            let room = json["roomId"]?.string, let owner = json["userId"]?.string,
            let roomID = try? RoomID(validating: room, field: "roomId"),
            let ownerID = try? UserID(validating: owner, field: "userId"),
            json["size"]?.exactInteger == size, let uploadedAt = json["uploadedAt"]?.exactInteger
        else { return nil }
        return StoredFile(
            id: id, roomID: roomID, owner: ownerID, name: FileName.sanitized(json["name"]?.string ?? ""),
            contentType: MediaType.sanitized(json["contentType"]?.string), size: size,
            sha256: json["sha256"]?.string ?? "",
            dimensions: ImageDimensions(
                width: json["width"]?.exactInteger, height: json["height"]?.exactInteger),
            uploadedAt: Timestamp(milliseconds: uploadedAt), isReferenced: isReferenced)
    }
}
