import ChatDomain
import ChatProtocol
import ChatTestSupport
import Testing

@testable import ChatCore

@Suite struct LocalRoomsTests {
    private let lobby = room("lobby")

    private func frames(_ text: String, _ encodings: [FrameEncoding] = FrameEncoding.allCases) -> EncodedFrames {
        var frames = EncodedFrames()
        frames.append("message", data: Array(#"{"text":"\#(text)"}"#.utf8), for: encodings, deflate: { _ in nil })
        return frames
    }

    @Test func aBroadcastReachesEachMemberOnce() async throws {
        try await ChatUnderTest.serve { chat in
            let rooms = LocalRooms()
            var clients: [TestClient] = []
            for name in ["ann", "bob", "cleo"] { clients.append(await chat.client(name)) }
            for client in clients {
                rooms.add(client.session, to: lobby, newest: 3)
                rooms.add(client.session, to: lobby, newest: 2)
                client.channel.forget()
            }
            #expect(rooms.newest(in: lobby) == 3 && rooms.newest(in: room("other")) == 0)
            #expect(rooms.fanOut(frames("a"), to: lobby, numbers: 4...5) == 3)
            #expect(rooms.newest(in: lobby) == 5)
            #expect(rooms.fanOut(frames("a"), to: room("other"), numbers: 1...1) == 0)
            for client in clients { #expect(client.channel.events("message").count == 1) }
            // The first goes; the others are found afterwards.
            rooms.remove(clients[0].session, from: lobby)
            rooms.remove(clients[0].session, from: lobby)
            #expect(!rooms.contains(clients[0].session, in: lobby) && rooms.contains(clients[2].session, in: lobby))
            #expect(rooms.fanOut(frames("b"), to: lobby, numbers: 6...6) == 2)
            #expect(clients.map { $0.channel.events("message").count } == [1, 2, 2])
            rooms.remove(clients[2].session, from: lobby)
            rooms.remove(clients[1].session, from: lobby)
            #expect(rooms.count == 0)
        }
    }

    @Test func someAreLeftOut() async throws {
        try await ChatUnderTest.serve(ChatSetup { $0.presence.isForFriendsOnly = true }) { chat in
            try await chat.store.real.befriend(user("bob"), user("zoe"))
            let rooms = LocalRooms()
            let (ann, bob) = (await chat.client("ann"), await chat.client("bob"))
            for client in [ann, bob] {
                rooms.add(client.session, to: lobby, newest: 0)
                client.channel.forget()
            }
            _ = rooms.announce(
                EncodedAnnouncement(frames: frames("x"), isDroppable: true, excluded: user("ann")), in: lobby)
            #expect(ann.channel.frames.isEmpty && bob.channel.frames.map(\.isDroppable) == [true])
            _ = rooms.announce(EncodedAnnouncement(frames: frames("x"), subject: user("zoe")), in: lobby)
            #expect(ann.channel.frames.isEmpty && bob.channel.frames.count == 2)
        }
    }

    @Test func framesGoPastTheChannelWhereTheyMay() async throws {
        try await ChatUnderTest.serve { chat in
            let rooms = LocalRooms()
            let sink = RecordingSink()
            let ann = await chat.client("ann", sink: sink)
            ann.channel.forget()
            rooms.add(ann.session, to: lobby, newest: 0)
            _ = rooms.fanOut(frames("a"), to: lobby, numbers: 1...1)
            #expect(sink.frames.count == 1 && ann.channel.frames.isEmpty)
            // Announcements may wait, messages may not.
            _ = rooms.announce(EncodedAnnouncement(frames: frames("n"), patience: .long), in: lobby)
            #expect(sink.frames.count == 1 && sink.patientFrames == [frames("n")[.event]])
            #expect(sink.patience == .seconds(1))
            // The sink is gone: noticed once it is said so.
            ann.channel.frameSink = nil
            rooms.refresh(ann.session, in: lobby)
            _ = rooms.fanOut(frames("b"), to: lobby, numbers: 2...2)
            #expect(sink.frames.count == 1 && ann.channel.events("message").count == 1)
        }
    }

    @Test func aSessionThatMovedToAWebSocketTakesFramesMadeForPolling() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            ann.session.reencode(.socketIOPolling)
            await chat.runUntilQuiet()
            let bob = await chat.client("bob", in: "lobby")
            ann.channel.forget()
            let made = frames("late", [.socketIOPolling])
            ann.session.reencode(.socketIO)
            ann.session.deliver(made, isDroppable: false)
            #expect(ann.channel.frames.first?.bytes.first == 0x81, "a WebSocket text frame")
            ann.channel.forget()
            ann.session.reencode(.event)
            bob.send("send_message", #"{"roomId":"lobby","message":"hello"}"#)
            await chat.runUntilQuiet()
            #expect(ann.messages == ["hello"])
        }
    }
}
