import Engine
import TestSupport
import Testing

@Suite struct HTTPConnectionTests {
    @Test func aConnectionServesManyRequests() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            for number in 0..<5 {
                let response = try await client.get("/now\(number)")
                #expect(response.status == 200)
                #expect(response.body == "/now\(number)")
                #expect(response.fields["connection"] == "keep-alive")
                #expect(response.fields["date"]?.hasSuffix("GMT") == true)
            }
        }
    }

    @Test func pipelinedAnswersComeInTheOrderAsked() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(
                ["/hold1", "/now1", "/hold2", "/now2"].map { LoopbackClient.request("GET", $0) }.joined())
            #expect(await eventually { await host.heldPaths == ["/hold1"] })
            await host.answerHeld()
            #expect(try await client.receiveResponse().body == "/hold1")
            #expect(try await client.receiveResponse().body == "/now1")
            #expect(await eventually { await host.heldPaths == ["/hold2"] })
            await host.answerHeld()
            #expect(try await client.receiveResponse().body == "/hold2")
            #expect(try await client.receiveResponse().body == "/now2")
        }
    }

    @Test func aLongPipelineBehindASlowAnswerIsServedInTheEnd() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            // More than the server keeps unread while it answers.
            let padding = "X-Padding: " + String(repeating: "x", count: 8000)
            let requests = (0..<40).map { LoopbackClient.request("GET", "/now\($0)", fields: [padding]) }
            try await client.send(LoopbackClient.request("GET", "/hold"))
            #expect(await eventually { await host.heldPaths == ["/hold"] })
            async let sending: Void = client.send(requests.joined())
            try await sending
            await host.answerHeld()
            #expect(try await client.receiveResponse().body == "/hold")
            for number in 0..<40 { #expect(try await client.receiveResponse().body == "/now\(number)") }
        }
    }

    @Test(arguments: [
        [LoopbackClient.request("GET", "/hold")],
        [LoopbackClient.request("GET", "/hold", fields: ["Connection: close"]), LoopbackClient.request("GET", "/now")],
    ]) func theAnswerToTheLastRequestEndsTheConnection(_ requests: [String]) async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(requests.joined())
            client.endWriting()
            #expect(await eventually { await host.heldPaths == ["/hold"] })
            await host.answerHeld()
            let response = try await client.receiveResponse()
            #expect(response.body == "/hold")
            #expect(response.fields["connection"] == "close")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func aClientThatEndedItsSideGetsALongAnswerWhole() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port, receiveBuffer: 4096)
            try await client.send(LoopbackClient.request("GET", "/big"))
            client.endWriting()
            #expect(try await client.receiveResponse().body.utf8.count == 4_000_000)
        }
    }

    @Test func aClientThatEndedItsSideGetsTheAnswersToBothItsRequests() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("GET", "/hold") + LoopbackClient.request("GET", "/now"))
            client.endWriting()
            #expect(await eventually { await host.heldPaths == ["/hold"] })
            await host.answerHeld()
            #expect(try await client.receiveResponse().body == "/hold")
            #expect(try await client.receiveResponse().body == "/now")
            #expect(try await client.receiveToEnd().isEmpty)
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aLongPollWhosePollerIsGoneIsAbandoned() async throws {
        try await EngineHost.serve { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("GET", "/long-poll"))
            #expect(await eventually { await host.connectionCount == 1 })
            client.endWriting()
            #expect(await eventually { await host.abandoned == 1 })
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aHangUpLeavesNothingBehind() async throws {
        try await EngineHost.serve { host, port in
            for request in ["", "GET / HT", LoopbackClient.request("POST", "/echo", fields: ["Content-Length: 10"])] {
                let client = try LoopbackClient(port: port)
                try await client.send(request)
                #expect(await eventually { await host.connectionCount == 1 })
                client.hangUp()
                #expect(await eventually { await host.connectionCount == 0 })
            }
        }
    }

    @Test func anIncompleteHeadIsRefusedWith408() async throws {
        try await EngineHost.serve({ $0.headTimeout = .milliseconds(150) }) { _, port in
            for begun in ["", "GET / HTTP/1.1\r\nHost:"] {
                let client = try LoopbackClient(port: port)
                try await client.send(begun)
                let response = try await client.receiveResponse()
                #expect(response.status == 408)
                #expect(response.fields["connection"] == "close")
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func aSecondHeadHasNoMoreTimeThanTheFirst() async throws {
        try await EngineHost.serve({ $0.headTimeout = .milliseconds(500) }) { _, port in
            let begun = LoopbackClient.request("GET", "/now") + "GET / HTTP/1.1\r\nHos"
            let client = try LoopbackClient(port: port, saying: Array(begun.utf8))
            #expect(try await client.receiveResponse().status == 200)
            #expect(try await client.receiveResponse().status == 408)
        }
    }

    @Test func anIncompleteBodyIsRefusedWith408() async throws {
        try await EngineHost.serve({ $0.bodyTimeout = .milliseconds(150) }) { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("POST", "/echo", fields: ["Content-Length: 10"]) + "abc")
            #expect(try await client.receiveResponse().status == 408)
        }
    }

    @Test func anIdleConnectionIsClosedWithoutAnAnswer() async throws {
        try await EngineHost.serve({ $0.keepAliveTimeout = .milliseconds(150) }) { host, port in
            let client = try LoopbackClient(port: port)
            #expect(try await client.get("/now").status == 200)
            #expect(try await client.receiveToEnd().isEmpty)
            client.hangUp()
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func bodiesAreHeldToTheirLimit() async throws {
        try await EngineHost.serve({ $0.maximumBodyBytes = 10 }) { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("POST", "/echo", body: "0123456789"))
            #expect(try await client.receiveResponse().body == "0123456789")
            try await client.send(LoopbackClient.request("POST", "/echo", body: "0123456789a"))
            #expect(try await client.receiveResponse().status == 413)
            let chunked = try LoopbackClient(port: port)
            try await chunked.send(
                LoopbackClient.request("POST", "/echo", fields: ["Transfer-Encoding: chunked"]) + "b\r\n0123456789a\r\n"
            )
            #expect(try await chunked.receiveResponse().status == 413)
        }
    }

    @Test func malformedRequestsAreAnsweredAndEnded() async throws {
        try await EngineHost.serve { _, port in
            for request in [
                "GET / HTTP/1.1\nHost: a\n\n", "NONSENSE\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            ] {
                let client = try LoopbackClient(port: port)
                try await client.send(request)
                #expect(try await client.receiveResponse().status == 400)
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func aClientThatExpects100ContinueGetsIt() async throws {
        try await EngineHost.serve { _, port in
            let client = try LoopbackClient(port: port)
            try await client.send(
                LoopbackClient.request("POST", "/echo", fields: ["Expect: 100-continue", "Content-Length: 3"]))
            #expect(try await client.receiveResponse().status == 100)
            try await client.send("abc")
            #expect(try await client.receiveResponse().body == "abc")
        }
    }

    @Test func aConnectionThatThePeerDoesNotCloseIsClosedInTheEnd() async throws {
        try await EngineHost.serve({ $0.closeTimeout = .milliseconds(150) }) { host, port in
            let client = try LoopbackClient(port: port)
            try await client.send(LoopbackClient.request("GET", "/now", fields: ["Connection: close"]))
            #expect(try await client.receiveResponse().body == "/now")
            #expect(try await client.receiveToEnd().isEmpty)
            // The client keeps its side open; the server does not wait for it for ever.
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }
}
