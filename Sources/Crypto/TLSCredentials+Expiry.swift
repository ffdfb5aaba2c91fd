internal import COpenSSL

extension TLSCredentials {
    /// When the first certificate of the chain expires, in seconds since the Unix epoch (RFC 5280 section 4.1.2.5); nil where
    /// OpenSSL reads no time.
    public func expirySeconds() -> Int64? {
        guard let epoch = ASN1_TIME_set(nil, 0) else { return nil }
        defer { ASN1_TIME_free(epoch) }
        var times: [Int64] = []
        _ = PEM.withStream(over: certificateChain.bytes) { stream -> Bool? in
            while let certificate = PEM_read_bio_X509_AUX(stream, nil, refusePassword, nil) {
                defer { X509_free(certificate) }
                var days: Int32 = 0
                var seconds: Int32 = 0
                if ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1 {
                    times.append(Int64(days) * 86_400 + Int64(seconds))
                }
            }
            ERR_clear_error()
            return true
        }
        return times.min()
    }
}
