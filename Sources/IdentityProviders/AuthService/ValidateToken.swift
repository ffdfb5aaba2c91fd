import ChatDomain

/// The messages of `proto/auth.proto`.
enum ValidateToken {
    static func request(token: String) -> [UInt8] {
        var bytes: [UInt8] = [1 << 3 | 2]
        ProtobufFields.appendVarint(UInt64(token.utf8.count), to: &bytes)
        bytes.append(contentsOf: token.utf8)
        return bytes
    }

    struct Response: Hashable, Sendable {
        static let maximumRoles = 64

        var isValid = false
        var userID = ""
        var username = ""
        var roles: [String] = []
        /// Seconds since the epoch; 0: does not expire.
        var expiresAt: Int64 = 0

        /// Of a field that comes several times the last counts. Fields of other numbers are ignored.
        ///
        /// - Throws: for bytes that are no message, and for a field of another type, which may mean anything.
        init(_ bytes: [UInt8]) throws(ProtobufFields.Malformed) {
            var fields = ProtobufFields(bytes)
            while let (number, value) = fields.next() {
                switch (number, value) {
                case (1, .varint(let value)): isValid = value != 0
                case (2, .bytes(let bytes)): userID = try Self.text(bytes)
                case (3, .bytes(let bytes)): username = try Self.text(bytes)
                case (4, .bytes(let bytes)):
                    guard roles.count < Self.maximumRoles else { throw ProtobufFields.Malformed() }
                    roles.append(try Self.text(bytes))
                case (5, .varint(let value)): expiresAt = Int64(bitPattern: value)
                case (1...5, _): throw ProtobufFields.Malformed()
                default: continue
                }
            }
            guard fields.isWellFormed else { throw ProtobufFields.Malformed() }
        }

        private static func text(_ bytes: [UInt8]) throws(ProtobufFields.Malformed) -> String {
            guard let text = String(validating: bytes, as: UTF8.self) else { throw ProtobufFields.Malformed() }
            return text
        }
    }
}
