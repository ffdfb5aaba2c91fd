import ChatDomain
import Crypto

/// The address of a file that is good for a while without credentials: it carries a time and a signature.
struct FileLink: Sendable {
    /// Seconds since the Unix epoch.
    static let times: ClosedRange<Int64> = 0...Timestamp.years.upperBound / 1000
    static let lifetime: Duration = .seconds(3600)

    let key: [UInt8]

    /// The path and query under which anybody can read the file until `lifetime` after `now`.
    func address(of file: StoredFile, at now: Timestamp) -> String {
        let expires = now.milliseconds / 1000 + Self.lifetime.components.seconds
        let signature = Self.hex(HMAC.code(.sha256, key: key, message: Self.message(file.id, expires)))
        return "/api/files/\(file.id)/\(URLText.encoded(file.name))?expires=\(expires)&signature=\(signature)"
    }

    /// Whether a signature is the file's, and its time is not over.
    func isValid(_ signature: String, for id: FileID, expires: Int64, at now: Timestamp) -> Bool {
        guard expires > now.milliseconds / 1000 else { return false }
        let expected = Self.hex(HMAC.code(.sha256, key: key, message: Self.message(id, expires)))
        return ConstantTime.equal(Array(signature.utf8), Array(expected.utf8))
    }

    private static func message(_ id: FileID, _ expires: Int64) -> [UInt8] { Array("file \(id) \(expires)".utf8) }

    private static func hex(_ bytes: [UInt8]) -> String { HexText.encoded(bytes) }
}

/// Bytes as lower-case hex digits.
enum HexText {
    static func encoded(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Texts within addresses and header fields.
enum URLText {
    /// Percent-encoded, except for unreserved characters (RFC 3986 section 2.3).
    static func encoded(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isLetter || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte) {
                result.append(byte)
            } else {
                result.append(UInt8(ascii: "%"))
                result.append(contentsOf: HexText.encoded([byte]).uppercased().utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
