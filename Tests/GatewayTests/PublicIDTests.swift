import ChatDomain
import JSON
import Testing

@testable import Gateway

@Suite struct PublicIDTests {
    @Test(arguments: [
        ("-9223372036854775808", #""-9223372036854775808""#), ("9223372036854775807", #""9223372036854775807""#),
        ("9007199254740991", "9007199254740991"), ("-9007199254740991", "-9007199254740991"),
        ("-9007199254740992", #""-9007199254740992""#), ("-0", #""-0""#), ("0", "0"), ("007", #""007""#),
    ]) func anIDIsANumberWhereEveryReaderKeepsItExactly(_ id: String, _ written: String) {
        var out = JSONWriter()
        out.publicID(UserID(unchecked: id))
        #expect(String(decoding: out.bytes, as: UTF8.self) == written)
    }
}
