import Testing

@testable import IdentityProviders

@Suite("The configuration of an OpenID Connect issuer")
struct KeySetFetcherTests {
    private let issuer = "https://id.example.com/tenant"

    private func url(in configuration: String, of issuer: String? = nil) -> String? {
        try? KeySetFetcher.keySetURL(in: Array(configuration.utf8), of: issuer ?? self.issuer)
    }

    @Test("It lies below the issuer, with one slash between")
    func location() {
        let expected = "https://id.example.com/tenant/.well-known/openid-configuration"
        #expect(KeySetFetcher.configurationURL(of: issuer) == expected)
        #expect(KeySetFetcher.configurationURL(of: issuer + "/") == expected)
    }

    @Test("It names the key set, on any host")
    func keySet() {
        let configuration = #"{"issuer":"https://id.example.com/tenant","jwks_uri":"https://keys.example.net/certs"}"#
        #expect(url(in: configuration) == "https://keys.example.net/certs")
    }

    @Test(
        "One that cannot be used names none",
        arguments: [
            "", "[]", "no JSON", #"{"jwks_uri":"https://keys.example.net"}"#,
            #"{"issuer":"https://other.example.com","jwks_uri":"https://keys.example.net"}"#,
            #"{"issuer":"https://id.example.com/tenant/","jwks_uri":"https://keys.example.net"}"#,
            #"{"issuer":"https://id.example.com/tenant"}"#,
            #"{"issuer":"https://id.example.com/tenant","jwks_uri":7}"#,
            #"{"issuer":"https://id.example.com/tenant","jwks_uri":"file:///etc/passwd"}"#,
            #"{"issuer":"https://id.example.com/tenant","jwks_uri":"http://keys.example.net"}"#,
        ])
    func unusable(configuration: String) { #expect(url(in: configuration) == nil) }

    @Test("Without TLS only where the issuer has none")
    func plainText() {
        let configuration = #"{"issuer":"http://127.0.0.1:9","jwks_uri":"http://127.0.0.1:9/keys"}"#
        #expect(url(in: configuration, of: "http://127.0.0.1:9") == "http://127.0.0.1:9/keys")
    }
}
