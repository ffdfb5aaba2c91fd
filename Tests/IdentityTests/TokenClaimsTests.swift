import ChatDomain
import Testing

@testable import Identity

@Suite("Claims")
struct TokenClaimsTests {
    private func claims(_ payload: String) throws(TokenRefusal) -> TokenClaims {
        try TokenVerifier().check(Forge.token(payload: payload), now: issueTime)
    }

    @Test(
        "The user is sub, else userId, else id; a number means its digits",
        arguments: [
            (#"{"sub":"a","userId":"b","id":"c"}"#, "a"), (#"{"userId":"b","id":"c"}"#, "b"), (#"{"id":"c"}"#, "c"),
            (#"{"sub":42}"#, "42"), (#"{"sub":-1}"#, "-1"), (#"{"sub":null,"userId":7}"#, "7"),
            (#"{"id":9223372036854775807}"#, "9223372036854775807"), (#"{"sub":"käthe 🙂"}"#, "käthe 🙂"),
        ])
    func user(payload: String, id: String) throws {
        #expect(try claims(payload).userID.value == id)
    }

    @Test(
        "Roles are a list of texts; anything else gives none",
        arguments: [
            (#"{"sub":"a","roles":["admin","user","admin"]}"#, ["admin", "user"]), (#"{"sub":"a"}"#, []),
            (#"{"sub":"a","roles":"admin"}"#, []), (#"{"sub":"a","roles":{"admin":true}}"#, []),
            (#"{"sub":"a","roles":[1,null,["admin"],"x","\u0000","\#(String(repeating: "y", count: 129))"]}"#, ["x"]),
        ] as [(String, Set<String>)])
    func roles(payload: String, expected: Set<String>) throws {
        #expect(try claims(payload).roles == expected)
    }

    @Test(
        "A user that is no id is refused",
        arguments: [
            "{}", #"{"sub":""}"#, #"{"sub":true,"id":"c"}"#, #"{"sub":{"$ne":1}}"#, #"{"sub":["a"]}"#,
            #"{"sub":1.5}"#, #"{"sub":"a\u0000b"}"#, #"{"sub":null}"#, #"{"name":"Alice"}"#,
            #"{"sub":"\#(String(repeating: "x", count: 129))"}"#,
        ])
    func noUser(payload: String) {
        #expect(throws: TokenRefusal.missingUser) { try claims(payload) }
    }

    @Test(
        "The name is the first of three that can be shown",
        arguments: [
            (#"{"sub":"a","username":"u","name":"n","preferred_username":"p"}"#, "u"),
            (#"{"sub":"a","name":"n","preferred_username":"p"}"#, "n"),
            (#"{"sub":"a","preferred_username":"p"}"#, "p"), (#"{"sub":"a"}"#, nil),
            (#"{"sub":"a","username":"","name":5,"preferred_username":"p"}"#, "p"),
            (#"{"sub":"a","username":"\#(String(repeating: "x", count: 129))"}"#, nil),
            (#"{"sub":"a","username":"x\u0000"}"#, nil),
        ] as [(String, String?)])
    func username(payload: String, name: String?) throws {
        #expect(try claims(payload).username == name)
    }

    @Test("The profile and the dates are read")
    func profile() throws {
        let claims = try claims(
            """
            {"sub":"a","name":"N","email":"a@b.c","picture":"https://p","iat":1767225600,"nbf":1767225600.25,\
            "exp":1767225700.5,"iss":"i","aud":["x","y",3]}
            """)
        #expect(claims.name == "N")
        #expect(claims.email == "a@b.c")
        #expect(claims.avatar == "https://p")
        #expect(claims.issuedAt == issueTime)
        #expect(claims.notBefore?.milliseconds == issueTime.milliseconds + 250)
        #expect(claims.expiresAt?.milliseconds == issueTime.milliseconds + 100_500)
        #expect(claims.issuer == "i")
        #expect(claims.audiences == ["x", "y"])
        #expect(try self.claims(#"{"sub":"a","avatar":"v","picture":"p"}"#).avatar == "v")
    }

    @Test("A token without exp does not expire")
    func unlimited() throws {
        let claims = try TokenVerifier().check(
            Forge.token(payload: #"{"sub":"a"}"#), now: Timestamp(milliseconds: .max / 2))
        #expect(claims.expiresAt == nil)
    }

    @Test(
        "Dates that are no numbers are refused",
        arguments: ["exp", "nbf", "iat"].flatMap { claim in
            [#""1767225700""#, "null", "true", "[]", "{}"].map { #"{"sub":"a","\#(claim)":\#($0)}"# }
        })
    func badDates(payload: String) {
        #expect(throws: TokenRefusal.malformedClaims) { try claims(payload) }
    }

    @Test(
        "Dates beyond all bounds neither trap nor wrap around",
        arguments: ["1e300", "9223372036854775807", "18446744073709551615", "1e19"])
    func hugeDates(number: String) throws {
        #expect(try claims(#"{"sub":"a","exp":\#(number)}"#).expiresAt?.iso8601 == "9999-12-31T23:59:59.999Z")
        #expect(throws: TokenRefusal.notYetValid) { try claims(#"{"sub":"a","nbf":\#(number)}"#) }
    }

    @Test("Dates before all bounds are past", arguments: ["-1e300", "-9223372036854775808", "-1", "-0.5", "0"])
    func ancientDates(number: String) {
        #expect(throws: TokenRefusal.expired) { try claims(#"{"sub":"a","exp":\#(number)}"#) }
        #expect(throws: Never.self) { try claims(#"{"sub":"a","nbf":\#(number)}"#) }
    }

    @Test(
        "A payload that is no JSON object is refused",
        arguments: ["", "[]", "null", "7", #""a""#, #"{"sub":"a""#, #"{"sub":"a"}x"#, #"{"sub":"a","x":\#(deep)}"#])
    func malformed(payload: String) {
        #expect(throws: TokenRefusal.malformedClaims) { try claims(payload) }
    }

    private static let deep = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)

    @Test("A payload that is not UTF-8 is refused")
    func invalidUTF8() {
        let payload: [UInt8] = [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]
        #expect(throws: TokenRefusal.malformedClaims) { try TokenClaims(payload: payload) }
    }
}
