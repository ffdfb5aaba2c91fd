import ChatDomain
import TestSupport
import Testing

@Suite struct DeviceLimitTests {
    @Test func theOldestSessionGivesWay() async throws {
        try await GatewayHost.serve(maximumSessions: 2) { host in
            let first = try await host.client("ann")
            let second = try await host.client("ann")
            let other = try await host.client("bob")
            let third = try await host.client("ann")
            #expect(try await first.await("close 4409").event == "close 4409")
            for client in [second, other, third] {
                try await client.say("ping", [:], id: 1)
                #expect(try await client.answer(1).success)
            }
        }
    }
}
