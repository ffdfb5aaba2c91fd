import ChatDomain
import JSON

extension JSONWriter {
    /// Writes the members that describe a file wherever it is described: in exports, in answers to uploads, and on the disk. An
    /// image has its `width` and `height` in pixels too.
    package mutating func describe(_ file: StoredFile) {
        member("fileId", file.id.text)
        member("name", file.name)
        member("contentType", file.contentType)
        member("size", file.size)
        member("sha256", file.sha256)
        guard let dimensions = file.dimensions else { return }
        member("width", dimensions.width)
        member("height", dimensions.height)
    }

    /// Writes the room that a file belongs to and the user that uploaded it.
    package mutating func place(of file: StoredFile) {
        member("roomId", file.roomID.value)
        member("userId", file.owner.value)
    }
}
