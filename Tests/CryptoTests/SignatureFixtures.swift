/// Public keys made for these tests alone, and what their private halves, which were thrown away, signed.
enum SignatureFixtures {
    static let message = Array("a message to sign".utf8)

    /// The key of `rsa` in the form of PKCS #1 (RFC 8017 §A.1.1).
    static let rsaShortForm = """
        -----BEGIN RSA PUBLIC KEY-----
        MIIBCgKCAQEA1FOV/dIEoxwUuTYEXr/Wmq36QSFsZZFsUOuOE1CuwMBJqGoKX5yt
        bsNwLkrBYo8enTr63Tr6W6BZ6N0qmLv5hnq0qn5TlNmNtH+trt1YY4F28uktJmH3
        VqQ8Vos6dSIt22AGetEgCGy3pcqXWBT3WUp7FACouwDsWjN+d5L2a6QaMT8k9C2D
        1GLO8LWjBa3mJvX5+JrIsluXmUq/Cih8ds94HjwLO7f9erLfg5lfUbTa2wevt8h9
        wgql2F82w1sAP/4NRjN5a8fXLvCWXglhyd5TM3VIwP8ePdjJtOEFEXcLBh7254SD
        KGZT5T73RR4UNZM+1BZQU3HzGfDxxx6ivQIDAQAB
        -----END RSA PUBLIC KEY-----

        """

    /// Too short to be taken.
    static let rsa1024 = """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/s5CwjEF3MevwrxB19Gf5S/DE
        /mOXm9PQEPguGx0WaKZjBMvOQwTWEpGYB7lJLTYbNRvr8pd6fQkM5O4FnBzIrl0a
        0zLg4uADXViJgX0/vkIGi3hDmHIZimqzsJl4Y+1lSS2Ke7QOJEiJT6jJd4WWwlXo
        iI7Im3FVLSBMzWRIqwIDAQAB
        -----END PUBLIC KEY-----

        """

    /// A curve that is not taken.
    static let p384 = """
        -----BEGIN PUBLIC KEY-----
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAExhTxDVUd4DkMPYnSJls+lTBsyO9EUVTS
        s76mTxanObVmClpEnYwRmLyboiaL+95wCG5h8TGjngRRcnA9ahIUQhzG6KOWuZ16
        JzePmtdTM2uSYGeZzFTO3Kess3p5untJ
        -----END PUBLIC KEY-----

        """

    /// By `rsa`.
    static let rs256 = hex(
        """
        ce0d08af2399c2bc11e965f791c76025ba7e4d1606781634857d7b6161cf8200d220d0c1027fa6ee7a3bb44c356dbcb14023
        15b0f03b1bfbca3c8995a26cfa058bb69b02929c2cb1d23257ece1bc79d1c1b99ef104b53bdc6aea995d14ea339d95bc29a6
        8478f0f9e198cac126dd0d11e2dd34eebd069fc726f9d77dd5b2b8ba0a75f654ca4f72fcd0c42f72f41096db99272d712526
        a62b0e9b0d1cb813f7c35b712560d38fec545cd32529dd497e90b0b9851f845b97fa8dfad43f8af765d60a62555e7c79b9e9
        2086dd0f1eddf567be06e263ec9e9773c8a25a4c3968a78d0e9f6f8327207d2d2696771fc2941beb94f8e71bf7fec311312d
        bf83296eb0a6
        """)

    /// By `rsa`.
    static let ps256 = hex(
        """
        c766b9ed369aee1daf32016fa7eeda28427a3163fc0e4edafb384d96ab2abd50f023e50efbbdf1e1eec1b20d57763b4a7ad3
        1abf7a07a44e9559fff0e5c1f437b96a6438f109d22c1974eeeeedc914f47ef729245e044039687d1efce0584878160cdd52
        9d9a8cf2cf7ed2825ce19a20e8c90e5ad54660445f71fea0b7f64e7b39014d1a7182f2b44727b134c02d3a50625dece5c81f
        0fe917b51d6eb06a6f25aea298eb1ed2323cfde2d434563a6856ae4d23b0e7a3632d552cdd5000c4ea61995b4ffed2ef0615
        996e29d366d2b1bec3bbaed727d6132fb19383166f4d19b5dee165f100392eedcc4ea8bc6caa57470f7d93f78368b2375702
        aa448e8aad46
        """)

    /// By `rsa`, with a salt of 20 bytes where 32 are due.
    static let ps256ShortSalt = hex(
        """
        aff71aef2a97e633485976f0d3e130472cf93d444bc984ccf877171e0d6104db73678e3f8627034211b1a2d6d5fa639a57db
        b1cd6fdd929211d6d24edcebca0d21e917e5990a18de359cdafa0de71b673468c94d327d846160446b375e4fffc9060c17fc
        0572e8f86e5efb3f0edcb3a33535d2397298467e8253b4556180b78808b28d38932f164fc029e432a533b3dbd7d819719096
        a80e2f803364bb3d2bab7c05399e710129e7abc618e5eac1bcd7d2590b53df93846ea99171779f34ceab532241699530811d
        f318ee58753b8071fa55aabe9e9f9eb726610b6be9fabd6e8eda7b6a465928f01175cbef63911c1e355226ec6456c1779903
        14d76c06ae3c
        """)

    /// By `p256`.
    static let es256 = hex(
        """
        2f9ad5895297e810cdd95e0359ce90e98a2d4b640c187f2d360b65329a27bf12b6be863b08d9e89cf315b5652348e4092bde
        1e1d971ee6c0c90f61ba5e9496e6
        """)

    /// By `ed25519`.
    static let edDSA = hex(
        """
        922b468866506cb1506b8235fdb7512b185bf04799cce7f16aec0e476e3560336959bcb6d3a0c23383657a3388a219e00bc1
        26780b6a9c382c40f1b22d087d09
        """)

    /// Of `rsa`; its exponent is 65537.
    static let rsaModulus = hex(
        """
        d45395fdd204a31c14b936045ebfd69aadfa41216c65916c50eb8e1350aec0c049a86a0a5f9cad6ec3702e4ac1628f1e9d3a
        fadd3afa5ba059e8dd2a98bbf9867ab4aa7e5394d98db47fadaedd58638176f2e92d2661f756a43c568b3a75222ddb60067a
        d120086cb7a5ca975814f7594a7b1400a8bb00ec5a337e7792f66ba41a313f24f42d83d462cef0b5a305ade626f5f9f89ac8
        b25b97994abf0a287c76cf781e3c0b3bb7fd7ab2df83995f51b4dadb07afb7c87dc20aa5d85f36c35b003ffe0d4633796bc7
        d72ef0965e0961c9de53337548c0ff1e3dd8c9b4e10511770b061ef6e78483286653e53ef7451e1435933ed416505371f319
        f0f1c71ea2bd
        """)

    static let p256X = hex(
        """
        ca81a1e0a36e8ed63a71d2fb8fa5e9ad953c4ce11d87fbb3841e5772a05cea51
        """)

    static let p256Y = hex(
        """
        91028b5caaaccc6bc453b81ea8a71ddecb8b7297ca7a5160945f58b81ec05119
        """)

    static let ed25519Raw = hex(
        """
        0ebf92d94ca40a28e84d5b4acb3aa69f67fc900fa8e2b31120dfe9b1e66bc372
        """)

    private static func hex(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
