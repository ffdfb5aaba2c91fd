import ChatDomain
import Testing

@Suite struct TimestampParsingTests {
    @Test(arguments: [0, 1, 951_782_400_000, 1_767_322_996_789, 4_107_542_399_999, 68_169_600_000])
    func readsWhatItWrites(_ milliseconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(Timestamp(iso8601: time.iso8601) == time)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:01Z", Int64(1000)), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00.1234567Z", 123), ("1970-01-01t00:00:00.5z", 500),
    ])
    func readsOtherForms(_ text: String, _ expected: Int64) {
        #expect(Timestamp(iso8601: text)?.milliseconds == expected)
    }

    @Test(arguments: [
        "", "1970-01-01", "1970-13-01T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00", "x970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+1:00",
    ])
    func refusesTheRest(_ text: String) { #expect(Timestamp(iso8601: text) == nil) }
}
