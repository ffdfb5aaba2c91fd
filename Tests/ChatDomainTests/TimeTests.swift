import Testing

@testable import ChatDomain

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-86_400_000, "1969-12-31T00:00:00.000Z"),
        (-86_400_001, "1969-12-30T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
        (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
        (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-2_203_977_600_000, "1900-02-28T00:00:00.000Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
    ]) func isWrittenAsISO8601(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).iso8601 == text)
    }

    @Test(
        arguments: [
            (.min, "0000-01-01T00:00:00.000Z"), (-100_000_000_000_000_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (-62_167_219_199_999, "0000-01-01T00:00:00.001Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"), (.max, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)]) func aTimeBeyondTheYearsIsTheNearestWithin(_ milliseconds: Int64, _ text: String)
    {
        #expect(Timestamp(milliseconds: milliseconds).iso8601 == text)
        #expect(Timestamp(iso8601: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() {
        // An independent way to count: month lengths, one day at a time.
        var (year, month, day) = (1969, 1, 1)
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        for count in -365..<(-365 + 146_097) {
            let text = Timestamp(milliseconds: Int64(count) * 86_400_000).iso8601
            let expected = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00.000Z"
            guard text == expected else {
                Issue.record("day \(count) is \(text), not \(expected)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
    }

    @Test func timesCompareAndAdd() {
        #expect(Moment.at(1) < .at(2))
        #expect(Moment.at(1) + .milliseconds(5) == .at(6))
        #expect(Moment.at(6) - .milliseconds(5) == .at(1))
        #expect(Moment.at(6) - .at(1) == .milliseconds(5))
        #expect(Timestamp(milliseconds: -1) < Timestamp(milliseconds: 0))
    }
}

@Suite struct TokenBucketTests {
    @Test func aBurstThenExactlyTheRate() {
        var bucket = TokenBucket(burst: 3, at: .at(0))
        for _ in 0..<3 { #expect(bucket.take(rate: 10, burst: 3, at: .at(0)) == nil) }
        #expect(bucket.take(rate: 10, burst: 3, at: .at(0)) == .milliseconds(100))
        #expect(bucket.take(rate: 10, burst: 3, at: .at(99)) == .milliseconds(1))
        #expect(bucket.take(rate: 10, burst: 3, at: .at(100)) == nil)
        #expect(bucket.take(rate: 10, burst: 3, at: .at(100)) == .milliseconds(100))
    }

    @Test(arguments: [1, 3, 7, 20, 999, 1000, 5000]) func theWaitItNamesIsEnoughAndNotTooMuch(_ rate: Int) throws {
        var bucket = TokenBucket(burst: 1, at: .at(0))
        #expect(bucket.take(rate: rate, burst: 1, at: .at(0)) == nil)
        let named = bucket.take(rate: rate, burst: 1, at: .at(0))
        let wait = try #require(named)
        let shortest = Duration.milliseconds(1)
        #expect(wait >= shortest)
        var early = bucket
        #expect(wait == shortest || early.take(rate: rate, burst: 1, at: .at(wait - shortest)) != nil)
        #expect(bucket.take(rate: rate, burst: 1, at: .at(wait)) == nil)
    }

    @Test func refillsWithoutLosingFractions() {
        // 3 a second, asked every millisecond for 10 s: the burst and 30 more.
        var bucket = TokenBucket(burst: 5, at: .at(0))
        let taken = (0...10_000).count { bucket.take(rate: 3, burst: 5, at: .at(Int64($0))) == nil }
        #expect(taken == 35)
    }

    @Test func neverHoldsMoreThanItsBurst() {
        var bucket = TokenBucket(burst: 2, at: .at(0))
        let later = Moment.at(100_000_000_000)
        let isFull = bucket.isFull(rate: 100, burst: 2, at: later)
        #expect(isFull)
        for _ in 0..<2 { #expect(bucket.take(rate: 100, burst: 2, at: later) == nil) }
        #expect(bucket.take(rate: 100, burst: 2, at: later) != nil)
        let isFullStill = bucket.isFull(rate: 100, burst: 2, at: later)
        #expect(!isFullStill)
    }

    @Test func aClockThatStepsBackGivesNothing() {
        var bucket = TokenBucket(burst: 1, at: .at(1000))
        #expect(bucket.take(rate: 1, burst: 1, at: .at(1000)) == nil)
        #expect(bucket.take(rate: 1, burst: 1, at: .at(0)) == .seconds(1))
        #expect(bucket.take(rate: 1, burst: 1, at: .at(1999)) == .milliseconds(1))
        #expect(bucket.take(rate: 1, burst: 1, at: .at(2000)) == nil)
    }
}
