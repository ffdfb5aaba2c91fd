import Crypto
import JSON

/// Signs requests to receivers by the scheme of Standard Webhooks (symmetric signatures, `v1`).
public struct WebhookSigner: Equatable, Sendable {
    /// Bytes of a key.
    private static let keySizes = 24...64
    private static let prefix = "whsec_"

    private let keys: [[UInt8]]

    /// nil for anything but secrets of the form `whsec_` and 24 to 64 bytes in Base64, with commas between. Each secret gives one
    /// signature, so that receivers can change to another secret one after the other.
    public init?(secrets: String) {
        var keys: [[UInt8]] = []
        for secret in secrets.split(separator: ",", omittingEmptySubsequences: false) {
            guard secret.hasPrefix(Self.prefix),
                let key = Base64.decode(secret.dropFirst(Self.prefix.count).utf8), Self.keySizes.contains(key.count)
            else { return nil }
            keys.append(key)
        }
        self.keys = keys
    }

    /// The header fields of a signed request.
    ///
    /// - Parameters:
    ///   - id: names the event, the same on every repeat.
    ///   - timestamp: seconds since the Unix epoch at which the request is sent.
    func fields(id: String, timestamp: Int64, body: [UInt8]) -> [(name: String, value: String)] {
        let message = Array("\(id).\(timestamp).".utf8) + body
        let signatures = keys.map { key in
            let code = HMAC.code(.sha256, key: key, message: message)
            return "v1," + String(decoding: Base64.encode(code), as: UTF8.self)
        }
        return [
            ("webhook-id", id), ("webhook-timestamp", String(timestamp)),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }
}
