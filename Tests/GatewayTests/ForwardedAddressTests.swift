import ChatTestSupport
import EventLoop
import Testing
import WireProtocols

@testable import Gateway

@Suite struct ForwardedAddressTests {
    private func client(_ fields: String...) throws -> String? {
        ForwardedAddress.client(of: try head("GET", "/", fields).headers) { $0.isLoopback }?.description
    }

    @Test(arguments: [
        ("1.2.3.4", "1.2.3.4"), ("1.2.3.4:5678", "1.2.3.4"), ("\"1.2.3.4:5678\"", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"),
        ("\"[2001:db8::1]:443\"", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
        ("9.9.9.9, 1.2.3.4:1, 127.0.0.1", "1.2.3.4"),
        ("127.0.0.1, 127.0.0.2:80", "127.0.0.1"), ("9.9.9.9, unknown, 127.0.0.1", "127.0.0.1"),
    ]) func addressesComeWithPortsBracketsAndQuotes(_ value: String, _ expected: String) throws {
        #expect(try client("X-Forwarded-For: \(value)") == expected)
        let nodes = value.split(separator: ",").map { $0.drop { $0 == " " } }
        let standard = nodes.map { "proto=https; For=\($0.contains("\"") ? $0 : "\"\($0)\"")" }.joined(separator: ", ")
        #expect(try client("Forwarded: \(standard)") == expected)
    }

    @Test func theOlderFieldCountsWhereBothAre() throws {
        #expect(try client("Forwarded: for=9.9.9.9", "X-Forwarded-For: 1.2.3.4") == "1.2.3.4")
        #expect(try client("X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 1.2.3.4") == "1.2.3.4")
    }

    @Test(arguments: ["", "unknown", "_hidden", "for=1.2.3.4", "[1", "1.2.3", "\""]) func aMalformedAddressIsNone(
        _ value: String
    ) throws {
        #expect(try client("X-Forwarded-For: \(value)") == nil)
        #expect(try client("Forwarded: by=1.2.3.4;for=\(value)") == nil || value == "for=1.2.3.4")
    }
}
