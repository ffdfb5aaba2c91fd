import Testing

@testable import WireProtocols

@Suite("permessage-deflate negotiation")
struct PerMessageDeflateTests {
    private func answer(_ header: String, _ policy: PerMessageDeflate.Policy = .init()) throws -> String? {
        let offers = try #require(WebSocketExtensionOffer.parse(header))
        return PerMessageDeflate.agree(on: offers, policy: policy)?.headerValue
    }

    private let standard = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    @Test(
        "Offers that can be kept",
        arguments: [
            "permessage-deflate", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8", "permessage-deflate;client_max_window_bits=\"15\"",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_max_window_bits=15", "other; a=b, permessage-deflate",
        ])
    func kept(header: String) throws {
        #expect(try answer(header) == standard)
    }

    @Test("A smaller server window is honoured, from the client or from the policy")
    func serverWindow() throws {
        #expect(try answer("permessage-deflate; server_max_window_bits=9") == standard + "; server_max_window_bits=9")
        let policy = PerMessageDeflate.Policy(serverMaxWindowBits: 12)
        #expect(try answer("permessage-deflate", policy) == standard + "; server_max_window_bits=12")
        let smaller = try answer("permessage-deflate; server_max_window_bits=10", policy)
        #expect(smaller == standard + "; server_max_window_bits=10")
    }

    @Test("A policy may leave context takeover on, which a client may still decline for the server")
    func contextTakeover() throws {
        let policy = PerMessageDeflate.Policy(serverNoContextTakeover: false, clientNoContextTakeover: false)
        #expect(try answer("permessage-deflate", policy) == "permessage-deflate")
        #expect(
            try answer("permessage-deflate; server_no_context_takeover", policy)
                == "permessage-deflate; server_no_context_takeover")
    }

    @Test(
        "Offers that cannot be kept",
        arguments: [
            "other", "permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=true", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; server_max_window_bits=x", "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=08",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover", "",
        ])
    func declined(header: String) throws {
        #expect(try answer(header) == nil)
        #expect(try answer(header + ", permessage-deflate") == standard)
    }

    @Test(
        "What does not follow the grammar",
        arguments: ["a b", "a;", "a; b=", "a; b=\"c", "a; b=\"\"", ";a", "a; b=\"c d\""])
    func malformed(header: String) {
        #expect(WebSocketExtensionOffer.parse(header) == nil)
    }
}
