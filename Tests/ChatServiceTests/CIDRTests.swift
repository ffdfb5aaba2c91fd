import EventLoop
import Testing

@testable import ChatService

@Suite struct CIDRTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "8.8.8.8", true), ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fe80::1", false), ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("::1", "::1", true), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
    ])
    func matches(range: String, address: String, expected: Bool) throws {
        let cidr = try #require(CIDR(range))
        let address = try #require(IPAddress(address))
        #expect(cidr.contains(address) == expected)
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "a", "10.0.0.0/8/8", "10.0.0.0/ 8",
        "1.2.3.4.5",
    ])
    func refuses(text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test func aProxyMayBeInAnyRange() throws {
        let proxies = TrustedProxies(networks: [try #require(CIDR("10.0.0.0/8")), try #require(CIDR("::1"))])
        for (text, expected) in [("10.1.1.1", true), ("::1", true), ("11.1.1.1", false), ("::2", false)] {
            #expect(proxies.contains(try #require(IPAddress(text))) == expected)
            #expect(!TrustedProxies().contains(try #require(IPAddress(text))))
        }
    }
}
