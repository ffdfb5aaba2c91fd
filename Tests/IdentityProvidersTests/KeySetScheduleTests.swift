import ChatDomain
import TestSupport
import Testing

@testable import IdentityProviders

@Suite("When a key set is fetched")
struct KeySetScheduleTests {
    private let start = Moment(milliseconds: 1_000_000)
    private var random = SplitMix(seed: 1)

    @Test("At once, and again when the set is no longer fresh")
    func freshness() {
        var schedule = KeySetSchedule(now: start)
        #expect(schedule.nextFetch == start && !schedule.isCurrent)
        let expected: [(Duration?, Duration)] = [
            (nil, .seconds(300)), (.seconds(600), .seconds(600)), (.zero, .seconds(60)), (.seconds(59), .seconds(60)),
            (.seconds(999_999), .seconds(3600)), (.seconds(-1), .seconds(60)),
        ]
        for (age, wait) in expected {
            schedule.succeeded(maximumAge: age, now: start)
            #expect(schedule.nextFetch == start + wait && schedule.isCurrent)
        }
    }

    @Test("After a failure with back-off, thirty seconds at most")
    mutating func failures() {
        var schedule = KeySetSchedule(now: start)
        schedule.succeeded(maximumAge: nil, now: start)
        schedule.failed(now: start, using: &random)
        #expect(!schedule.isCurrent && schedule.nextFetch <= start + .seconds(1))
        var longest = Duration.zero
        for _ in 0..<50 {
            schedule.failed(now: start, using: &random)
            #expect(schedule.nextFetch >= start + .milliseconds(100))
            longest = max(longest, schedule.nextFetch - start)
        }
        #expect(longest > .seconds(10) && longest <= .seconds(30))
        schedule.succeeded(maximumAge: nil, now: start)
        schedule.failed(now: start, using: &random)
        #expect(schedule.nextFetch <= start + .seconds(1))
    }

    @Test("For an unknown key once in thirty seconds")
    func unknownKeys() {
        var schedule = KeySetSchedule(now: start)
        schedule.succeeded(maximumAge: nil, now: start)
        #expect(schedule.mayFetchForUnknownKey(now: start))
        schedule.beginForUnknownKey(now: start)
        #expect(!schedule.mayFetchForUnknownKey(now: start + .milliseconds(29_999)))
        #expect(schedule.mayFetchForUnknownKey(now: start + .seconds(30)))
    }

    @Test(
        "The freshness of Cache-Control",
        arguments: [
            (nil, nil), ("", nil), ("public", nil), ("max-age=5", .seconds(5)), ("Public, Max-Age=60", .seconds(60)),
            ("max-age=", nil), ("max-age=x", nil), ("max-age=-1", nil), ("s-maxage=7", nil),
            ("max-age=99999999999999999999", .seconds(Int32.max)), ("no-store", .zero),
            ("max-age=60, no-cache", .zero), ("max-age=60,must-revalidate", .seconds(60)),
        ] as [(String?, Duration?)])
    func cacheControl(field: String?, age: Duration?) { #expect(CacheControl.maximumAge(field) == age) }
}
