import ChatDomain
import Testing

@Suite("W3C Trace Context")
struct TraceContextTests {
    private static let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("A header is read and written")
    func roundTrip() throws {
        let context = try #require(TraceContext(Self.header))
        #expect(context.trace == .init(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736))
        #expect(context.span == 0x00f0_67aa_0ba9_02b7 && context.isSampled)
        #expect(context.text == Self.header)
        let notSampled = try #require(TraceContext(String(Self.header.dropLast(2)) + "00"))
        #expect(!notSampled.isSampled)
    }

    @Test("A later version is read as far as it is known")
    func laterVersion() throws {
        let context = try #require(TraceContext("cc" + Self.header.dropFirst(2) + "-what-the-future-holds"))
        #expect(context.text == Self.header)
    }

    @Test(
        "Other headers are ignored",
        arguments: [
            "", "00", "00-0-0-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ])
    func malformed(header: String) { #expect(TraceContext(header) == nil) }
}
