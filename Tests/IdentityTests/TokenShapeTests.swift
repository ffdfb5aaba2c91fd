import ChatDomain
import Testing

@testable import Identity

/// Texts that are no tokens.
@Suite("The shape of tokens")
struct TokenShapeTests {
    private static let token = Forge.token(payload: #"{"sub":"alice"}"#)
    private let verifier = TokenVerifier()

    @Test(
        "Other than three parts is refused",
        arguments: ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "....", Self.token + ".", "." + Self.token])
    func parts(text: String) {
        #expect(verifier.refusal(of: text) == .notThreeParts)
    }

    @Test(
        "Anything but canonical base64url is refused",
        arguments: [
            Self.token + "=", " " + Self.token, Self.token + "\n", Self.token.replacing("e", with: "é"),
            Self.token.replacing(".", with: ".\u{0}"), "Bearer " + Self.token,
        ])
    func encoding(text: String) {
        #expect(verifier.refusal(of: text) == .badEncoding)
    }

    @Test("A token of 8 KiB is looked at, a longer one is not")
    func length() {
        let parts = Self.token.split(separator: ".")
        let room = JSONWebToken.maximumBytes - Self.token.utf8.count
        let padding = String(repeating: "A", count: room)
        #expect(verifier.refusal(of: "\(parts[0]).\(parts[1]).\(parts[2])\(padding)") != .tooLong)
        #expect(verifier.refusal(of: "\(parts[0]).\(parts[1]).\(parts[2])\(padding)A") == .tooLong)
        #expect(verifier.refusal(of: String(repeating: ".", count: 10_000_000)) == .tooLong)
    }

    @Test("A long payload within the limit is taken")
    func longPayload() {
        let filler = String(repeating: "x", count: 5900)
        #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a","x":"\#(filler)"}"#)) == nil)
    }

    @Test("A token cut short at any character is refused")
    func truncation() {
        for length in 0..<Self.token.count {
            #expect(verifier.refusal(of: String(Self.token.prefix(length))) != nil, "\(length) characters")
        }
    }

    @Test("A token with any character changed is refused")
    func change() {
        let characters = Array(Self.token)
        for index in characters.indices {
            for replacement in ["A", "B", "_", "."] where String(characters[index]) != replacement {
                var changed = characters
                changed[index] = Character(replacement)
                #expect(verifier.refusal(of: String(changed)) != nil, "character \(index)")
            }
        }
    }

    @Test("Noise in any part never traps, and never gets in")
    func noise() {
        var random = SystemRandomNumberGenerator()
        let pieces = ["{", "}", #""alg""#, ":", #""HS256""#, ",", #""kid""#, "[", "]", "1e999", #""sub""#, "\\u", "ÿ"]
        for _ in 0..<3000 {
            let texts = (0..<3).map { _ in
                (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                    .joined()
            }
            let signed = Forge.token(header: texts[0], payload: texts[1], secret: [])
            #expect(verifier.refusal(of: signed) != nil)
            #expect(verifier.refusal(of: texts.joined(separator: ".")) != nil)
        }
    }

    @Test("The reason of a refusal holds nothing of the token")
    func reasons() {
        for refusal in TokenRefusal.allCases {
            #expect(!refusal.description.isEmpty)
            #expect(!refusal.description.contains(Self.token.prefix(8)))
        }
    }
}
