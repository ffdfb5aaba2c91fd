import Engine
import TestSupport
import Testing

/// Silent peers and slow readers.
@Suite struct LivenessTests {
    private static func quick(_ configuration: inout EngineConfiguration) {
        configuration.pingInterval = .milliseconds(100)
        configuration.pongTimeout = .milliseconds(200)
    }

    @Test func aSilentPeerIsPingedAndClosed() async throws {
        try await EngineHost.serve(Self.quick) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            #expect(try await client.receiveFrame().opcode == 9)
            #expect(try await client.receiveToEnd().isEmpty)
            #expect(await eventually { await host.connectionCount == 0 })
            #expect(await host.closeCodes == [nil])
        }
    }

    @Test func aPeerThatAnswersStays() async throws {
        try await EngineHost.serve({
            $0.pingInterval = .milliseconds(50)
            // Also the time between two pings; long enough for a client that a busy machine holds up.
            $0.pongTimeout = .seconds(10)
        }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            try await client.answerPings(2)
            #expect(await host.connectionCount == 1)
        }
    }

    @Test func aPeerThatIsNotReadIsNotTakenForSilent() async throws {
        try await EngineHost.serve(Self.quick) { host, port in
            let request = Array(LoopbackClient.upgradeRequest("/ws").utf8)
            let client = try LoopbackClient(port: port, saying: request + LoopbackClient.frame("pause"))
            #expect(try await client.receiveResponse().status == 101)
            // On the loop's own clock, so that the pings and their time limits are over.
            await host.wait(.milliseconds(600))
            try await client.sendFrame("still here")
            await host.resumeAll()
            var frame = try await client.receiveFrame()
            while frame.opcode != 1 { frame = try await client.receiveFrame() }
            #expect(frame.text == "still here")
        }
    }

    @Test func aSlowReaderLosesDroppableFramesFirstAndIsThenClosed() async throws {
        try await EngineHost.serve({
            $0.softOutputLimit = 256 * 1024
            $0.hardOutputLimit = 512 * 1024
            $0.slowReaderCloseCode = 4321
        }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.upgrade("/ws")
            // Until the kernel takes no more and the queue is above the first mark.
            #expect(
                await eventually {
                    if await host.queuedBytes < 300 * 1024 { await host.broadcast("a", bytes: 50_000) }
                    return await host.queuedBytes >= 300 * 1024
                })
            let before = await host.queuedBytes
            await host.broadcast("b", bytes: 1000, isDroppable: true)
            #expect(await host.dropped == 1)
            #expect(await host.queuedBytes == before)
            await host.broadcast("c", bytes: 50_000)
            #expect(await host.queuedBytes > before)
            for _ in 0..<10 { await host.broadcast("d", bytes: 50_000) }
            #expect(await eventually { await host.closeCodes == [4321] })
            #expect(await host.slowConsumers == 1)
            // A frame that was begun is finished, and the close frame comes behind it.
            var last: ReceivedFrame?
            while last?.closeCode == nil {
                let frame = try await client.receiveFrame()
                #expect(frame.closeCode != nil || frame.text.allSatisfy { $0 == "a" })
                last = frame
            }
            #expect(last?.closeCode == 4321)
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func theQueueOfOneTurnIsBoundedBeforeTheKernelRefusesAnything() async throws {
        try await EngineHost.serve({
            $0.softOutputLimit = 256 * 1024
            $0.hardOutputLimit = 512 * 1024
        }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.upgrade("/ws")
            #expect(await eventually { await host.socketCount == 1 })
            // One turn, so that nothing is written at the end of it in between.
            let most = await host.broadcast("a", bytes: 50_000, times: 400)
            #expect(most > 256 * 1024)
            #expect(most <= 512 * 1024)
            #expect(await host.slowConsumers == 1)
            withExtendedLifetime(client) {}
        }
    }

    @Test func aReaderThatIsNotBehindGetsALongAnswerWhole() async throws {
        try await EngineHost.serve({
            $0.softOutputLimit = 64 * 1024
            $0.hardOutputLimit = 128 * 1024
        }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            #expect(await eventually { await host.socketCount == 1 })
            await host.broadcast("a", bytes: 3_000_000)
            #expect(try await client.receiveFrame().payload.count == 3_000_000)
            #expect(await host.slowConsumers == 0)
        }
    }

    @Test func aStrangerMayLeaveLittleUnread() async throws {
        try await EngineHost.serve({ $0.strangerOutputLimit = 1000 }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.upgrade("/ws")
            #expect(await eventually { await host.socketCount == 1 })
            await host.setStrangers(true)
            let most = await host.broadcast("a", bytes: 500, times: 20_000)
            #expect(most <= 1000)
            #expect(await host.slowConsumers == 1)
            withExtendedLifetime(client) {}
        }
    }

    @Test func aDrainWaiterIsCalledOnce() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.upgrade("/ws")
            #expect(await eventually { await host.socketCount == 1 })
            #expect(
                await eventually {
                    if await host.queuedBytes < 300 * 1024 { await host.broadcast("a", bytes: 50_000) }
                    return await host.queuedBytes >= 300 * 1024
                })
            await host.awaitDrain(to: 1000)
            #expect(await host.drained == 0)
            while await host.queuedBytes > 1000 { _ = try await client.receiveFrame() }
            #expect(await eventually { await host.drained == 1 })
        }
    }

    @Test func aReaderThatCatchesUpGetsEverything() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.upgrade("/ws")
            for letter in "abcdefghijklmnopqrst" { await host.broadcast(letter, bytes: 40_000) }
            for letter in "abcdefghijklmnopqrst" {
                #expect(
                    try await client.receiveFrame().payload == [UInt8](repeating: letter.asciiValue ?? 0, count: 40_000)
                )
            }
            #expect(await host.queuedBytes == 0)
            #expect(await host.slowConsumers == 0)
        }
    }

    @Test func aSlowReaderOfALongAnswerIsNotCutOffByTheCloseTimeout() async throws {
        try await EngineHost.serve({ $0.closeTimeout = .milliseconds(150) }) { _, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.send(LoopbackClient.request("GET", "/big", fields: ["Connection: close"]))
            #expect(try await client.receiveResponse().body.utf8.count == 4_000_000)
        }
    }

    @Test func aPeerThatTakesNothingOfItsAnswerIsClosed() async throws {
        try await EngineHost.serve({ $0.bodyTimeout = .milliseconds(150) }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.send(LoopbackClient.request("GET", "/big", fields: ["Connection: close"]))
            #expect(await eventually { await host.acceptedCount == 1 })
            #expect(await eventually { await host.connectionCount == 0 })
            withExtendedLifetime(client) {}
        }
    }
}
