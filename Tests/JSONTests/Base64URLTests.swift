import JSON
import Testing

@Suite("base64url")
struct Base64URLTests {
    @Test(
        "Texts and bytes correspond (RFC 4648 §10, RFC 7515 appendix C)",
        arguments: [
            ("", []), ("Zg", [0x66]), ("Zm8", [0x66, 0x6f]), ("Zm9v", [0x66, 0x6f, 0x6f]),
            ("Zm9vYg", [0x66, 0x6f, 0x6f, 0x62]), ("A-z_4ME", [3, 236, 255, 224, 193]),
        ] as [(String, [UInt8])])
    func examples(text: String, bytes: [UInt8]) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(Array(text.utf8)) == bytes)
    }

    @Test("Every length comes back")
    func roundTrip() {
        for count in 0..<100 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            #expect(Base64URL.decode(Array(Base64URL.encode(bytes).utf8)) == bytes)
        }
    }

    @Test(
        "Any other way to write bytes is refused",
        arguments: [
            "Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "Z g", "Zg\n", " Zg", "Zm+v", "Zm/v", "Zm9v\u{0}", "Zmé",
        ])
    func strictness(text: String) {
        #expect(Base64URL.decode(Array(text.utf8)) == nil)
    }
}
