internal import COpenSSL

/// Reads the text form of keys and certificates (RFC 7468).
enum PEM {
    /// Calls `read` with a stream of OpenSSL over the bytes.
    static func withStream<Result>(
        over bytes: [UInt8], _ read: (OpaquePointer) -> Result?
    ) -> Result? {
        bytes.withUnsafeBytes { bytes in
            guard let stream = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(stream) }
            return read(stream)
        }
    }

    /// Whether the last failure of the thread only says that a stream holds no further object.
    static var isAtEnd: Bool {
        let code = ERR_peek_last_error()
        return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
    }
}

/// Gives OpenSSL no password for a PEM file. Without this callback OpenSSL would ask for one on the terminal.
func refusePassword(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
