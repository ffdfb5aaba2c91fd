import Compression
import Engine
import TestSupport
import Testing

@Suite struct WebSocketTests {
    private static let offer = "Sec-WebSocket-Extensions: permessage-deflate"

    @Test func dataRightBehindTheHandshakeIsTaken() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            let frames = ["one", "two"].flatMap { LoopbackClient.frame($0) }
            try await client.send(Array(LoopbackClient.upgradeRequest("/ws").utf8) + frames)
            let response = try await client.receiveResponse()
            #expect(response.status == 101)
            #expect(response.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(try await client.receiveFrame().text == "one")
            #expect(try await client.receiveFrame().text == "two")
        }
    }

    @Test func muchDataBehindAHandshakeThatIsAnsweredLateIsTaken() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            // More than is kept unread before reading stops.
            let text = String(repeating: "x", count: 50_000)
            let frames = (0..<4).flatMap { LoopbackClient.frame("\($0)" + text) }
            try await client.send(Array(LoopbackClient.upgradeRequest("/hold-upgrade").utf8) + frames)
            #expect(await eventually { await host.connectionCount == 1 })
            #expect(await eventually { await host.upgradesHeld == 1 })
            await host.upgradeHeld()
            #expect(try await client.receiveResponse().status == 101)
            for number in 0..<4 { #expect(try await client.receiveFrame().text == "\(number)" + text) }
        }
    }

    @Test func aFrameInPiecesOfAnySizeIsWhole() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            for byte in LoopbackClient.frame("drip") { try await client.send([byte]) }
            #expect(try await client.receiveFrame().text == "drip")
            try await client.send(LoopbackClient.frame(Array("frag".utf8), isFinal: false))
            try await client.send(LoopbackClient.frame([], opcode: 9))
            try await client.send(LoopbackClient.frame(Array("ment".utf8), opcode: 0))
            #expect(try await client.receiveFrame().opcode == 10)
            #expect(try await client.receiveFrame().text == "fragment")
        }
    }

    @Test func pausingLosesNothing() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            try await client.send(["one", "pause", "two", "three"].flatMap { LoopbackClient.frame($0) })
            #expect(try await client.receiveFrame().text == "one")
            #expect(await eventually { await host.received == ["one", "pause"] })
            let long = String(repeating: "y", count: 100_000)
            try await client.send(LoopbackClient.frame(long) + LoopbackClient.frame("four"))
            #expect(await host.received == ["one", "pause"])
            await host.resumeAll()
            for text in ["two", "three", long, "four"] { #expect(try await client.receiveFrame().text == text) }
        }
    }

    @Test func messagesAreHeldToTheirLimitHoweverTheyCome() async throws {
        try await EngineHost.serve({ $0.maximumMessageBytes = 1000 }) { _, port in
            let bomb = Deflater().compress([UInt8](repeating: 0x61, count: 100_000))
            var compressed = LoopbackClient.frame(bomb)
            compressed[0] |= 0x40
            let inputs = [
                LoopbackClient.frame([UInt8](repeating: 0x61, count: 1001)),
                LoopbackClient.frame([UInt8](repeating: 0x61, count: 600), isFinal: false)
                    + LoopbackClient.frame([UInt8](repeating: 0x61, count: 600), opcode: 0),
                compressed,
            ]
            for input in inputs {
                let client = try LoopbackClient(port: port)
                try await client.upgrade("/ws", fields: [Self.offer])
                try await client.send(input)
                #expect(try await client.receiveFrame().closeCode == 1009)
            }
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            try await client.sendFrame(String(repeating: "a", count: 1000))
            #expect(try await client.receiveFrame().payload.count == 1000)
        }
    }

    @Test func compressesLongMessagesForClientsThatOfferedIt() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            let response = try await client.upgrade("/ws", fields: [Self.offer])
            #expect(response.fields["sec-websocket-extensions"]?.hasPrefix("permessage-deflate") == true)
            let text = String(repeating: "all work and no play ", count: 100)
            var frame = LoopbackClient.frame(Deflater().compress(Array(text.utf8)))
            frame[0] |= 0x40
            try await client.send(frame)
            let echo = try await client.receiveFrame()
            #expect(echo.isCompressed)
            #expect(echo.payload.count < text.utf8.count / 4)
            #expect(Inflater().inflate(echo.payload, limit: 10_000) == .message(Array(text.utf8)))
            try await client.sendFrame("short")
            let short = try await client.receiveFrame()
            #expect(short.text == "short" && !short.isCompressed)
        }
    }

    @Test func theClosingHandshakeEchoesTheCode() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            try await client.send(LoopbackClient.frame([0x0F, 0xA1], opcode: 8))
            #expect(try await client.receiveFrame().closeCode == 4001)
            #expect(try await client.receiveToEnd().isEmpty)
            #expect(await eventually { await host.closeCodes == [4001] })
            client.hangUp()
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func theServersCloseComesBehindEarlierMessages() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            try await client.send(["last", "close", "ignored"].flatMap { LoopbackClient.frame($0) })
            #expect(try await client.receiveFrame().text == "last")
            #expect(try await client.receiveFrame().closeCode == 4400)
            #expect(await host.received == ["last", "close"])
            #expect(await host.closeCodes == [4400])
        }
    }

    @Test func brokenFramesCloseWithTheirCode() async throws {
        try await EngineHost.serve { host, port in
            let unmasked: [UInt8] = [0x81, 0x01, 0x61]
            let inputs: [([UInt8], Int)] = [
                (unmasked, 1002), (LoopbackClient.frame([], opcode: 3), 1002),
                (LoopbackClient.frame([], opcode: 0), 1002),
                (LoopbackClient.frame([0xC3, 0x28]), 1007), (LoopbackClient.frame([0x03, 0xED], opcode: 8), 1002),
            ]
            for (bytes, code) in inputs {
                let client = try LoopbackClient(port: port)
                try await client.upgrade("/ws")
                try await client.send(bytes)
                #expect(try await client.receiveFrame().closeCode == code)
                client.hangUp()
            }
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aHangUpIsReportedOnce() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.upgrade("/ws")
            client.hangUp()
            #expect(await eventually { await host.connectionCount == 0 })
            #expect(await host.closeCodes == [nil])
        }
    }

    @Test func aHandshakeOfAnotherVersionIsRefused() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send(
                LoopbackClient.upgradeRequest("/ws").replacingVersion("8"))
            let response = try await client.receiveResponse()
            #expect(response.status == 426)
            #expect(response.fields["sec-websocket-version"] == "13")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }
}

extension String {
    fileprivate func replacingVersion(_ version: String) -> String {
        let wanted = "Sec-WebSocket-Version: 13"
        guard let range = firstRange(of: wanted) else { return self }
        return replacingCharacters(in: range, with: "Sec-WebSocket-Version: " + version)
    }

    private func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
