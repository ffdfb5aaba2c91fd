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

    /// It is not lost behind a close frame.
    @Test func itGoesOutAheadOfAnEnd() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            await host.broadcastPatientlyAndClose("a")
            #expect(try await client.receiveFrame().text == "a")
            #expect(try await client.receiveFrame().opcode == 8)
        }
    }

    /// As much as may be queued for a peer that is not behind is as much as may wait.
    @Test func itDoesNotWaitWhereMuchDoes() async throws {
        try await EngineHost.serve({ $0.softOutputLimit = 10_000 }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            let turns = await host.writesOfTurns.count
            let queued = await host.broadcastPatiently("a", bytes: 2000, times: 6)
            #expect(queued <= 10_000)
            for _ in 0..<6 { #expect(try await client.receiveFrame().payload.count == 2000) }
            // What waited went out when there was too much of it, and the rest together at the turn's end.
            #expect(await host.writesOfTurns.dropFirst(turns).reduce(0, +) == 1)
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
        var patience = Patience(until: 1250, waited: .seconds(5))
        let answers = zip(waited, times).map { waited, time in
            patience.isOver(at: 1000 + time, waited: .seconds(5) + .milliseconds(waited))
        }
        #expect(answers == expected)
    }

    @Test func whatMayWaitForLessEndsTheWaitOfAll() {
        var patience = Patience(until: 2000, waited: .zero)
        patience.shorten(to: 1250)
        patience.shorten(to: 1900)
        #expect(!patience.isOver(at: 1249, waited: .zero) && patience.isOver(at: 1250, waited: .zero))
    }
}
