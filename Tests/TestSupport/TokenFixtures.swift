/// Public keys made for these tests alone, and tokens signed with their private halves, which were thrown away.
///
/// Every token says `{"sub":"alice","name":"Alice","iat":1767225600,"exp":1767229200}`.
public enum TokenFixtures {
    public static let issuedAt: Int64 = 1_767_225_600
    public static let expiresAt: Int64 = 1_767_229_200

    /// The same three as JSON Web Keys: kid `r`, use sig.
    public static let rsaKey = """
        {"kty":"RSA","n":"1FOV_dIEoxwUuTYEXr_Wmq36QSFsZZFsUOuOE1CuwMBJqGoKX5ytbsNwLkrBYo8enTr63Tr6W6BZ6N0qmL\
        v5hnq0qn5TlNmNtH-trt1YY4F28uktJmH3VqQ8Vos6dSIt22AGetEgCGy3pcqXWBT3WUp7FACouwDsWjN-d5L2a6QaMT8k9C2D1G\
        LO8LWjBa3mJvX5-JrIsluXmUq_Cih8ds94HjwLO7f9erLfg5lfUbTa2wevt8h9wgql2F82w1sAP_4NRjN5a8fXLvCWXglhyd5TM3\
        VIwP8ePdjJtOEFEXcLBh7254SDKGZT5T73RR4UNZM-1BZQU3HzGfDxxx6ivQ","e":"AQAB","kid":"r","use":"sig"}
        """

    /// kid `e`, alg ES256.
    public static let p256Key = """
        {"kty":"EC","crv":"P-256","x":"yoGh4KNujtY6cdL7j6XprZU8TOEdh_uzhB5XcqBc6lE","y":"kQKLXKqszGvEU7geqKc\
        d3suLcpfKelFglF9YuB7AURk","kid":"e","alg":"ES256"}
        """

    /// kid `o`, key_ops verify.
    public static let ed25519Key = """
        {"kty":"OKP","crv":"Ed25519","x":"Dr-S2UykCijoTVtKyzqmn2f8kA-o4rMRIN_pseZrw3I","kid":"o","key_ops":[\
        "verify"]}
        """

    public static let rs256 = """
        eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCw\
        iZXhwIjoxNzY3MjI5MjAwfQ.QGX6Rl3a3MvlU2diWX_AWpNn76XYtuHqv03P-awh3LiufA8oJfXMjK3lG46FJB5A5v__IfZBPlfJ\
        GHMAwT6LRRvpZ4fVG0b9FiOPTH9x8uF2m4b7uFTj-cl83ft3_nZ8vRhCBcrd417Mj5-gU_gGqCpRpw03Kl4zEHwRy4exmp48SrAn\
        AIdRISSObSzpbN0Nr6SuZ8yO8Wz_Xk7lgx7dt2QUzpArCZUN2uFJtYMa-w-1u1TtXD8BY6tPvj8XapCko9HT52CKFeOqSBGYvCX9\
        W8Ep0OsfbJ_V04Ouj-ZfGSNNAnyN-670zJGp3ZA4l0u4fGXtSioh5VDPpN3qyQ4kFQ
        """

    /// With kid `r`.
    public static let rs256Named = """
        eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InIifQ.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6M\
        Tc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.dI-HkU5VWCu0D2DrRWh4j8THbmRVXz4TpeIgYmIWBR0DX2Dc8w75bFVk9udrY_\
        UV1kMXD3l9uBzUoHZnK0b0UAlFbxhhthA-BjJ-OuQdXhLH13oWX-0MwyDaGNamDpOGLlzMnMe3_v9uSMJVc3e_ypEzF7_LqrjNqN\
        mHx0IryxybL2CkJdKfX-eBqN5pGPKg4FRjQuS26adMKSleEhQqp0_lO4NnzNLcYT6AiTWErT2MRXByKHKIr9uQfk6wwtRIO2YJEO\
        dibGDims2jA7H3tH_1t4iuU8uOWDUm8QGLon0AkWUPKessdnqIvrXUciB5r04_3arYb1U5rB7BVMtdDQ
        """

    public static let ps256 = """
        eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCw\
        iZXhwIjoxNzY3MjI5MjAwfQ.f3XMrfecvXx5I5iL62qB8gyLKtuP5eoNHzt1pCsHjdadVjF80fMwritiBqecoK9OrcG_Jxuq8aRl\
        EE0bC8vfHTibPdq81zu4m7cDZX4zRYTahL50uJUv-ZLaK_WqFnbNd0Bn-2H3B3inq1_zD5Jw53ch31PqGTo5BYsZ58CORkoMVZeK\
        55IFrYBMvy0CzCsIc-J_HeSltEPYvsjNvZAHSUJQpypCJOzvaOPN_-ci0BsK3cz8P5JDb43oJdHd1CTLpA-Kdkqs1mnIRgeuGjnB\
        Uyx5hds87Kj0dRF8IdDiYycyzzow0wILlg5aAeGbO0V30hqxOMbWbTNoPTVhk024Sg
        """

    /// With kid `r`.
    public static let ps256Named = """
        eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InIifQ.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6M\
        Tc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.cLFJbUdxQfaL4kqQN3VUMb_l-ebg3uzGHakZIJKx50DAxNq4FPunDIh2In8zB1\
        lbQIUQ_-IEx9rLQbDnwRQkTFVR6HOj5ke9EVTTwYdo2_uzvj0t7WlpnZJen1SPDOvU8Thvr5qJwMZ_k7afFcgjbqFxz_Rt9Ib_6L\
        9amg4vESWNZT-f-bAcczB0pylDKTm0zuQkBKoOOYN8Yrx4T9cmJfppMeIfsR_6nAEuuFC42OvlgEEC2DFHwaXnWt00wLu9649lF0\
        cDIedT-84vQZufcyaG0KM_DsG5mW-2qjFJ3ks0A73hVm24CScj69iMaWXN47TGUzAMX-2yW21pN8FKQA
        """

    public static let es256 = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCw\
        iZXhwIjoxNzY3MjI5MjAwfQ.c7g02pM01rWjPKhJFz0YAYZGChEr7bi0s0an38gFsdmvF92A95r2oBEOpMavzV464zy0QhXZTTiU\
        l8R8grSAMQ
        """

    /// With kid `e`.
    public static let es256Named = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImUifQ.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6M\
        Tc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.VZMeIQLA9W1yeUDQEb9M_heqGQ-zPymiV9SAD3MTVuLnua2V1GUQGTZQza7ZZl\
        LQZCVKvuAXy9KgSnaDt1rMaA
        """

    public static let edDSA = """
        eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCw\
        iZXhwIjoxNzY3MjI5MjAwfQ.7z47Yao_NDC_NBtU3ZZ-7DL6h9IEHtgwMjS-qasOeS-gzzl3gsY0xS4IXZ8tTzWsRiZDm7A5p1cC\
        ivt93TvXAg
        """

    /// With kid `o`.
    public static let edDSANamed = """
        eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6Im8ifQ.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6M\
        Tc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.lSn-rnaG-ii9CppN4WiOImP67EvILfn7e22y2DkCTica-cjLpzFUqbToCGv2eR\
        fydQVGsSvEiQeV6aaaHF4JCA
        """

    /// With the kid of another key, `r`.
    public static let es256Misnamed = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InIifQ.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6M\
        Tc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.U5IWp_p67gmLgvq4Of3mESDvLoA9D0LOBMzjuTX8-09JhZWPURh0FqE3npMevW\
        g2-WIRNsmdwJHpxk1mRmcSXA
        """

    /// With kid `../../etc/passwd`, jku, x5u and jwk in its header.
    public static let es256OtherHeader = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QiLCJqa3UiOiJodHRwczovL2V4YW1wbGUu\
        b3JnL2tleXMiLCJ4NXUiOiJodHRwczovL2V4YW1wbGUub3JnL2NlcnQiLCJqd2siOnsia3R5IjoiRUMiLCJjcnYiOiJQLTI1NiIs\
        IngiOiJ5b0doNEtOdWp0WTZjZEw3ajZYcHJaVThUT0VkaF91emhCNVhjcUJjNmxFIiwieSI6ImtRS0xYS3Fzekd2RVU3Z2VxS2Nk\
        M3N1TGNwZktlbEZnbEY5WXVCN0FVUmsifX0.eyJzdWIiOiJhbGljZSIsIm5hbWUiOiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCwi\
        ZXhwIjoxNzY3MjI5MjAwfQ.YE5XAZUy4IfUeaMw-mK-3S5yetMenI4RNqifD4LKVUZENrCrsNCdYZdzGmYY_9l7_apZCTRDPNG-A\
        dZJxTykog
        """

    /// Demands the extension `b64`.
    public static let es256Critical = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImNyaXQiOlsiYjY0Il0sImI2NCI6dHJ1ZX0.eyJzdWIiOiJhbGljZSIsIm5hbWUi\
        OiJBbGljZSIsImlhdCI6MTc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.GQWiKmdcttbyjkLjDL2MhmaODNY6V283-bwRu7vmn\
        LdPedP00gnzy_JXOsOmxn0Cvlf7rsvXPZIacujXQlOajA
        """
}
