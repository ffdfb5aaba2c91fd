import Testing

@testable import EventLoop

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::1", "::1"),
        ("::", "::"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("fe80::1:2", "fe80::1:2"),
    ]) func isReadAndWrittenInItsShortForm(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(expected) == address)
    }

    @Test(arguments: [
        "", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "01.2.3.4", ":::", "12345::",
        "::1%lo", "[::1]",
        "1.2.3.4:80", "::ffff:1.2.3.256",
    ]) func refusesEverythingElse(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func knowsItsFamilyAndTheLoopback() throws {
        for (text, isIPv4, isLoopback) in [
            ("127.0.0.1", true, true), ("127.255.0.1", true, true), ("128.0.0.1", true, false), ("::1", false, true),
            ("::2", false, false),
            ("::ffff:127.0.0.1", true, true), ("::7f00:1", false, false),
        ] {
            let address = try #require(IPAddress(text))
            #expect(address.isIPv4 == isIPv4, "\(text)")
            #expect(address.isLoopback == isLoopback, "\(text)")
        }
    }

    @Test func isHandedToTheSystemInNetworkOrder() throws {
        func bytes(_ text: String) throws -> [UInt8] {
            try #require(IPAddress(text)).withSocketAddress(port: 5004) { pointer, length in
                Array(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
            }
        }
        let four = try bytes("10.20.30.40")
        #expect(four.count == 16)
        #expect(four[2..<8] == [0x13, 0x8C, 10, 20, 30, 40])
        let six = try bytes("2001:db8::42")
        #expect(six.count == 28)
        #expect(six[2..<4] == [0x13, 0x8C])
        #expect(six[8..<24] == [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42])
        six[8..<24].withUnsafeBytes { #expect(IPAddress(networkOrder: $0).description == "2001:db8::42") }
    }
}
