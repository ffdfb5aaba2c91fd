import TestSupport
import Testing

@testable import Engine

/// Bodies that are streamed, over sockets.
@Suite struct StreamedBodyTests {
    private static func upload(_ length: Int, _ fields: String...) -> String {
        LoopbackClient.request("POST", "/upload", fields: ["Content-Length: \(length)"] + fields)
    }

    @Test func aBodyIsNotReadBeforeTheHandlerTakesIt() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(5, "Expect: 100-continue"))
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload()
            let interim = try await client.receiveResponse()
            #expect(interim.status == 100)
            try await client.send("12345" + LoopbackClient.request("GET", "/now"))
            #expect(try await client.receiveResponse().body == "5")
            #expect(try await client.receiveResponse().body == "/now", "the connection lives on")
        }
    }

    @Test func aRefusedBodyIsNotReadAtAll() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(1 << 29) + "12345")
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.refuseUpload()
            let response = try await client.receiveResponse()
            #expect(response.status == 403 && response.fields["connection"] == "close")
            #expect(await host.uploaded?.bytes == 0)
            await host.takeUpload()
            #expect(await host.uploaded?.isCutOff == true, "it is too late to take it")
        }
    }

    @Test func aBodyOverItsLimitIsRefusedWithItsHead() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(1 << 31))
            #expect(try await client.receiveResponse().status == 413)
            #expect(await host.uploadsHeld == 0)
        }
    }

    @Test func aSlowReaderStopsItsClient() async throws {
        let length = 64 << 20
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(length))
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload(slowly: true)
            let sending = Task { try await client.send([UInt8](repeating: 1, count: length)) }
            #expect(await eventually { await host.uploaded?.bytes ?? 0 > 0 })
            await host.wait(.milliseconds(200))
            let early = await host.uploaded?.bytes ?? 0
            #expect(early <= 2 * EngineContext.chunkBytes, "one read, and no more")
            await host.readUpload()
            try await sending.value
            #expect(try await client.receiveResponse().body == "\(length)")
        }
    }

    @Test func aBodyThatComesTooSlowlyIsRefused() async throws {
        try await EngineHost.serve({ $0.progressInterval = .milliseconds(100) }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(1000) + "abc")
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload()
            #expect(try await client.receiveResponse().status == 408)
            #expect(await host.uploaded?.isCutOff == true)
        }
    }

    @Test func aBodyEndsThoughAllOfItWasReadBeforeItsReaderWasReady() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(10) + "0123456789")
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload(slowly: true)
            #expect(await eventually { await host.uploaded?.bytes == 10 })
            await host.readUpload()
            #expect(try await client.receiveResponse().body == "10")
        }
    }

    @Test func aClientIsNotBlamedForASlowReader() async throws {
        try await EngineHost.serve({ $0.progressInterval = .milliseconds(50) }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(20) + "0123456789")
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload(slowly: true)
            #expect(await eventually { await host.uploaded?.bytes == 10 })
            await host.wait(.milliseconds(300))
            try await client.send("0123456789")
            await host.readUpload()
            #expect(try await client.receiveResponse().status == 201)
        }
    }

    @Test func aClientThatGoesCutsItsBodyOff() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(Self.upload(1000) + "abc")
            #expect(await eventually { await host.uploadsHeld == 1 })
            await host.takeUpload()
            #expect(await eventually { await host.uploaded?.bytes == 3 })
            client.endWriting()
            #expect(await eventually { await host.uploaded?.isCutOff == true })
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aStreamedAnswerIsMadeAsItsClientReads() async throws {
        let length = 256 << 20
        try await EngineHost.serve({ $0.streamStallTimeout = .seconds(1) }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.send(LoopbackClient.request("GET", "/stream/\(length)"))
            #expect(await eventually { await host.produced?.bytes ?? 0 > 0 })
            await host.wait(.milliseconds(200))
            #expect(await host.produced?.bytes ?? 0 < 32 << 20, "what the kernel takes, and one window")
            // The client reads no more, and does not say so.
            client.hangUp()
            #expect(await eventually { await host.produced?.isStopped == true })
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aStreamedAnswerIsWholeAndTheConnectionLivesOn() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(
                LoopbackClient.request("GET", "/stream/1000000") + LoopbackClient.request("HEAD", "/stream/70")
                    + LoopbackClient.request("GET", "/stream/0") + LoopbackClient.request("GET", "/now"))
            #expect(try await client.receiveResponse().body.utf8.count == 1_000_000)
            let head = try await client.receiveResponse(isHead: true)
            #expect(head.fields["content-length"] == "70")
            #expect(try await client.receiveResponse().body == "")
            #expect(try await client.receiveResponse().body == "/now")
            #expect(await host.produced?.isStopped == true)
        }
    }

    @Test func anAnswerWhoseSourceFailsEndsTheConnection() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("GET", "/broken/400000"))
            let received = try await client.receiveToEnd()
            #expect(received.count < 400_000, "the client can tell that it is not whole")
        }
    }

    @Test func aClientThatReadsNothingIsGivenUp() async throws {
        try await EngineHost.serve({ $0.streamStallTimeout = .milliseconds(100) }) { host, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.send(LoopbackClient.request("GET", "/stream/\(256 << 20)"))
            #expect(await eventually { await host.produced?.isStopped == true })
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }
}
