import Crypto
import Testing

@Suite struct RandomIDTests {
    @Test func isReadBackAsItWasWritten() {
        for _ in 0..<200 {
            let id = RandomID.make()
            #expect(id.text.utf8.count == 32)
            #expect(RandomID(id.text) == id)
        }
        #expect(RandomID(String(repeating: "0", count: 32))?.text == String(repeating: "0", count: 32))
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
        String(repeating: "A", count: 32),
        "+" + String(repeating: "1", count: 31),
        String(repeating: "1", count: 16) + "-" + String(repeating: "1", count: 15),
        String(repeating: "g", count: 32), String(repeating: "é", count: 16),
    ])
    func nothingElseIsAnID(_ text: String) { #expect(RandomID(text) == nil) }

    /// FIPS 180-4's "abc", cut.
    @Test func theDigestOfAText() {
        #expect(RandomID(digestOf: "abc").text == "ba7816bf8f01cfea414140de5dae2223")
    }
}
