/// Public keys made for these tests alone; their private halves were thrown away.
public enum TestKeys {
    /// 2048 bits.
    public static let rsa = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1FOV/dIEoxwUuTYEXr/W
        mq36QSFsZZFsUOuOE1CuwMBJqGoKX5ytbsNwLkrBYo8enTr63Tr6W6BZ6N0qmLv5
        hnq0qn5TlNmNtH+trt1YY4F28uktJmH3VqQ8Vos6dSIt22AGetEgCGy3pcqXWBT3
        WUp7FACouwDsWjN+d5L2a6QaMT8k9C2D1GLO8LWjBa3mJvX5+JrIsluXmUq/Cih8
        ds94HjwLO7f9erLfg5lfUbTa2wevt8h9wgql2F82w1sAP/4NRjN5a8fXLvCWXglh
        yd5TM3VIwP8ePdjJtOEFEXcLBh7254SDKGZT5T73RR4UNZM+1BZQU3HzGfDxxx6i
        vQIDAQAB
        -----END PUBLIC KEY-----

        """

    public static let p256 = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyoGh4KNujtY6cdL7j6XprZU8TOEd
        h/uzhB5XcqBc6lGRAotcqqzMa8RTuB6opx3ey4tyl8p6UWCUX1i4HsBRGQ==
        -----END PUBLIC KEY-----

        """

    public static let ed25519 = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEADr+S2UykCijoTVtKyzqmn2f8kA+o4rMRIN/pseZrw3I=
        -----END PUBLIC KEY-----

        """
}
