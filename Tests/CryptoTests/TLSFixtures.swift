/// Certificates and keys made for these tests alone; they open nothing.
enum TLSFixtures {
    /// The key of `certificate` behind the password "password".
    static let encryptedPrivateKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBDGU9SiExSVf85V5PXX
        pJqTAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQPainW34BIqB8+bq/
        2Ll6CQSBkFcK5Q1n03OAzzeryNKJKKhUnEA5VgWPCF1PML8falOPPFCaLrU4Cmuj
        RZb5xuBNA3RUgDP5dtreBI4HaGO7NXEI/FPpoboJ1IhqSHjl1OEQ6ElQK1Pn+zSP
        KtNYlv9mWFfOf/WFTPSwDcXRoEapLl5Ur06qWpH3vJ6Ybv0OgY9eEYCJA+dVjZuf
        RgMShGbCFA==
        -----END ENCRYPTED PRIVATE KEY-----

        """

    /// Like `certificate`, of another key.
    static let otherCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBXDCCAQGgAwIBAgIUeKSbDnMH/bxCTqhwxW9H1LvSOv8wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
        MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASjHUhUcQla0Y/jkzBY584Qf8dQRmK3P46zAdGRMKV7jHnJGVA0hcUw
        nHB7Y6vN43g5/FXzQWvcXl5NZXfhBVtboy8wLTAaBgNVHREEEzARgglsb2NhbGhv
        c3SHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApbpa
        DfrjgvoKhxSj2aEunThVH+ChLG27sEY0Vt+S/FMCIQCNE2j+wCS6wwxBF98dyhR4
        0SdxLX7JNGeI9+tKMUqNDw==
        -----END CERTIFICATE-----

        """

    /// The key of `otherCertificate`.
    static let otherPrivateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYoe1+TOIFDtUZRp0
        O2HkZ7EFaVUsCYoPk3e3hqvRY/6hRANCAASjHUhUcQla0Y/jkzBY584Qf8dQRmK3
        P46zAdGRMKV7jHnJGVA0hcUwnHB7Y6vN43g5/FXzQWvcXl5NZXfhBVtb
        -----END PRIVATE KEY-----

        """
}
