/// A certificate made for these tests alone; it opens nothing.
public enum TestCertificate {
    /// Self-signed for localhost and 127.0.0.1, valid from 2020 to 2120.
    public static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBWzCCAQGgAwIBAgIUX66QpB0b37AFUJPvtiJavrbl+JIwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
        MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARls2mrmrafvgxPLLPPZyilsUP+wXyEfuIaK1AAOSbvn2sJx1fZeupT
        6j8SMfp9yoDmF1pvI+RqkA6ehlhDpVYcoy8wLTAaBgNVHREEEzARgglsb2NhbGhv
        c3SHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAnz4S/
        XAh66AW1z3YDwOsru7dZTnQh2D5DcAfXkyz1xgIhAPm6LwejzlmutNwM52tus+cV
        wL5sDoAjOlDw+8gdqSIT
        -----END CERTIFICATE-----

        """

    /// The key of `certificate`.
    public static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1pJ6pPEwUDJlZ1k9
        e9yseV5QBarkvmhenT+HA/ASzrqhRANCAARls2mrmrafvgxPLLPPZyilsUP+wXyE
        fuIaK1AAOSbvn2sJx1fZeupT6j8SMfp9yoDmF1pvI+RqkA6ehlhDpVYc
        -----END PRIVATE KEY-----

        """
}
