import TestSupport
import Testing

@testable import Engine

@Suite struct PatientOutputTests {
    @Test func itGoesOutInItsPlaceWithWhatComesNext() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            let turns = await host.writesOfTurns.count
            await host.broadcastPatiently("ab", then: "c")
            for letter in ["a", "b", "c"] { #expect(try await client.receiveFrame().text == letter) }
            #expect(await host.writesOfTurns.dropFirst(turns).reduce(0, +) == 1)
        }
    }

    @Test func itGoesOutByItselfWithWhatElseIsPatient() async throws {
        try await EngineHost.serve { host, port in
            let clients = try (0..<3).map { _ in try LoopbackClient(port: port) }
            for client in clients { try await client.upgrade("/ws") }
            let turns = await host.writesOfTurns.count
            await host.broadcastPatientlyInTurns(["a", "b"])
            for client in clients {
                #expect(try await client.receiveFrame().text == "a")
                #expect(try await client.receiveFrame().text == "b")
            }
            let writes = await host.writesOfTurns.dropFirst(turns).reduce(0, +)
            #expect(writes == clients.count, "patient output was written at once")
            // Behind that, output is patient again.
            await host.broadcastPatiently("c")
            for client in clients { #expect(try await client.receiveFrame().text == "c") }
        }
    }

    /// The client has nothing to do with it that output waits.
    @Test func itIsNotCountedAsWhatTheClientHasNotTaken() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            let waiting = await host.bytesOfPatientBroadcast("a")
            #expect(waiting.queued > 0 && waiting.untaken == 0)
            // Behind more than the system takes, it is.
            await host.broadcast("b", bytes: 8_000_000)
            #expect(await eventually { await host.untakenBytes > 0 })
        }
    }

    @Test func aConnectionThatEndsMeanwhileIsLeftOut() async throws {
        try await EngineHost.serve { host, port in
            let (gone, other) = (try LoopbackClient(port: port), try LoopbackClient(port: port))
            for client in [gone, other] { try await client.upgrade("/ws") }
            await host.broadcastPatientlyAndAbortFirst("a")
            #expect(try await other.receiveFrame().text == "a")
            #expect(await host.connectionCount == 1)
        }
    }

    @Test(arguments: [
        // A loop with little to do: patient for a step.
        ([10], [20], [true]),
        // A busy one: each step is looked at by itself.
        ([9, 18, 28], [20, 40, 60], [false, false, true]),
        // One that stays busy.
        ([0, 0], [249, 250], [false, true]),
    ]) func patienceDependsOnHowBusyTheLoopIs(_ waited: [Int64], _ times: [Int64], _ expected: [Bool]) {
        var patience = Patience(at: 1000, waited: .seconds(5))
        let answers = zip(waited, times).map { waited, time in
            patience.isOver(at: 1000 + time, waited: .seconds(5) + .milliseconds(waited))
        }
        #expect(answers == expected)
    }
}
