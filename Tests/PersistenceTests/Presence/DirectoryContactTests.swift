import ChatDomain
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// Contact between instances over Redis: whether an instance has received what others sent to all.
@Suite(.serialized) struct DirectoryContactTests {
    private static var now: Moment { Moment(milliseconds: ContinuousClock.milliseconds) }

    @Test func contactIsProvedAndOthersAreKnown() async throws {
        let one = try await DirectoryUnderTest(.redis, instance: "i1")
        let two = try await DirectoryUnderTest(.redis, instance: "i2", beside: one)
        for test in [one, two] {
            #expect(await eventually { test.directory.contact.vouches(for: Self.now, at: Self.now) })
        }
        #expect(await one.directory.others() == [InstanceID("i2")])
        #expect(await two.directory.others() == [InstanceID("i1")])
        await two.close()
        await one.close()
    }

    @Test func payloadsOfAnotherDeploymentAreNotDelivered() async throws {
        let one = try await DirectoryUnderTest(.redis, instance: "i1")
        let two = try await DirectoryUnderTest(.redis, instance: "i2", of: .other, beside: one)
        let three = try await DirectoryUnderTest(.redis, instance: "i3", beside: one)
        two.directory.send(Array("theirs".utf8), to: nil)
        two.directory.send(Array("theirs".utf8), to: InstanceID("i1"))
        // Redis has published that once it answers the next command of the same connection.
        _ = await two.directory.others()
        three.directory.send(Array("ours".utf8), to: InstanceID("i1"))
        func received() -> [String] {
            one.events.entries.compactMap {
                if case .received(let payload) = $0 { String(decoding: payload, as: UTF8.self) } else { nil }
            }
        }
        #expect(await eventually { !received().isEmpty })
        #expect(received() == ["ours"])
        for test in [three, two, one] { await test.close() }
    }
}

extension ContinuousClock {
    /// The clock of the directories under test.
    fileprivate static var milliseconds: Int64 { WallClock.monotonicMilliseconds() }
}
