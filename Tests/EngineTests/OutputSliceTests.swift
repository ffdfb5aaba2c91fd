import TestSupport
import Testing

@testable import Engine

@Suite struct OutputSliceTests {
    /// However little time a turn gives to output, each connection gets its own, and the loop waits for no input meanwhile.
    @Test func outputForManyIsWrittenInSeveralTurns() async throws {
        try await EngineHost.serve(slice: .zero) { host, port in
            let atOnce = EngineContext.writesBetweenLooks
            let clients = try (0..<3 * atOnce).map { _ in try LoopbackClient(port: port) }
            for client in clients { try await client.upgrade("/ws") }
            let turns = await host.writesOfTurns.count
            await host.broadcast("x", bytes: 10)
            for client in clients { #expect(try await client.receiveFrame().text == "xxxxxxxxxx") }
            let writes = await host.writesOfTurns.dropFirst(turns)
            #expect(writes.reduce(0, +) == clients.count)
            #expect(writes.allSatisfy { $0 <= atOnce })
        }
    }

    /// A message that comes for a connection that still waits for its turn goes out with the one before.
    @Test func whatComesMeanwhileGoesOutInTheSameWrite() async throws {
        try await EngineHost.serve(slice: .zero) { host, port in
            let clients = try (0..<4 * EngineContext.writesBetweenLooks).map { _ in try LoopbackClient(port: port) }
            for client in clients { try await client.upgrade("/ws") }
            let turns = await host.writesOfTurns.count
            await host.broadcastInTurns(["a", "b"])
            for client in clients {
                #expect(try await client.receiveFrame().text == "a")
                #expect(try await client.receiveFrame().text == "b")
            }
            let writes = await host.writesOfTurns.dropFirst(turns).reduce(0, +)
            #expect(writes < 2 * clients.count)
        }
    }

    @Test func outputOfFewIsWrittenInItsTurn() async throws {
        try await EngineHost.serve(slice: .seconds(5)) { host, port in
            let clients = try (0..<40).map { _ in try LoopbackClient(port: port) }
            for client in clients { try await client.upgrade("/ws") }
            let turns = await host.writesOfTurns.count
            await host.broadcast("x", bytes: 1)
            for client in clients { #expect(try await client.receiveFrame().text == "x") }
            #expect(await host.writesOfTurns.dropFirst(turns).contains(clients.count))
        }
    }
}
