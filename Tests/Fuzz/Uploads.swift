// Links everything.
import ChatDomain
import WireProtocols

@testable import PersistenceDisk
@testable import PersistenceMongoDB

/// What uploads bring: forms, images, names, ranges; and what file stores read. The first byte selects the decoder of the others.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzUploads(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (kind, bytes) = seedAndBytes(start, count), let id = FileID(String(repeating: "a", count: 32)) else {
        return 0
    }
    let text = String(decoding: bytes, as: UTF8.self)
    switch kind % 5 {
    case 0:
        let whole = form([bytes[...]])
        precondition(whole == form(pieces(of: bytes, seed: kind)), "the form depends on how it is cut")
        _ = try? MultipartParser(contentType: text)
    case 1:
        let whole = image([bytes[...]])
        precondition(whole == image(pieces(of: bytes, seed: kind)), "the image depends on how it is cut")
    case 2:
        let name = FileName.sanitized(text)
        precondition(!name.isEmpty && name.utf8.count <= FileName.maximumBytes && !name.utf8.contains(10))
        precondition(
            FileName.sanitized(name) == name
                && MediaType.sanitized(MediaType.sanitized(text)) == MediaType.sanitized(text))
    case 3:
        guard case .part(let range) = HTTPRange(text, size: 1000) else { break }
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= 1000)
    default:
        _ = FileHeader.decode(bytes, id: id, size: 5, isReferenced: true)
        _ = bytes.withUnsafeBytes { BSONDocument(encoded: $0) }.flatMap(GridFS.file)
    }
    return 0
}

/// The events of a form, with contents that follow each other joined; nil when it is refused.
private func form(_ pieces: [ArraySlice<UInt8>]) -> [MultipartParser.Event]? {
    guard var parser = try? MultipartParser(contentType: "multipart/form-data; boundary=X") else { return nil }
    var events: [MultipartParser.Event] = []
    for piece in pieces {
        guard let found = try? parser.receive(piece) else { return nil }
        for event in found {
            if case .content(let bytes) = event, case .content(let before)? = events.last {
                events[events.count - 1] = .content(before + bytes)
            } else {
                events.append(event)
            }
        }
    }
    return events
}

private func image(_ pieces: [ArraySlice<UInt8>]) -> ImageHeaderReader.Finding {
    var reader = ImageHeaderReader()
    for piece in pieces { reader.receive(Array(piece)) }
    return reader.finalFinding
}
