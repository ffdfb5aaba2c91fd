/// Why TLS cannot be offered, with OpenSSL's reason, for the operator.
public enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    case certificate(file: String, reason: String)
    case privateKey(file: String, reason: String)
    /// Each file can be read, but the key is not that of the certificate.
    case mismatch(certificateFile: String, keyFile: String)
    case unavailable(reason: String)

    public var description: String {
        switch self {
        case .certificate(let file, let reason): "cannot use the certificate chain in \(file): \(reason)"
        case .privateKey(let file, let reason): "cannot use the private key in \(file): \(reason)"
        case .mismatch(let certificate, let key):
            "the private key in \(key) is not that of the certificate in \(certificate)"
        case .unavailable(let reason): "TLS is not available: \(reason)"
        }
    }
}
