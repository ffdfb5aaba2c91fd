import ChatDomain
import ChatProtocol
import Identity
import JSON
import Synchronization
import TestSupport
import Testing

@testable import ChatCore

/// Another server that decides about tokens, when a test lets it. Every token is that of the user it names.
private final class DistantAuthority: TokenAuthority {
    private struct State {
        var isAway = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var asked: [String] = []
    }

    private let state = Mutex(State())

    var asked: [String] { state.withLock { $0.asked } }

    /// Answers those that wait.
    func answer(isAway: Bool = false) {
        let waiting = state.withLock { state in
            state.isAway = isAway
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func knownVerdict(on token: String, now: Now) -> TokenVerdict? { nil }

    func verdict(on token: String, now: Now) async -> TokenVerdict {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.asked.append(token)
                state.waiting.append(continuation)
            }
        }
        if state.withLock({ $0.isAway }) { return .unavailable }
        return .valid(TokenClaims(userID: UserID(unchecked: token), username: nil, expiresAt: nil))
    }
}

/// A connection whose token another server has to look at.
@Suite struct PendingIdentityTests {
    private let authority = DistantAuthority()

    private var setup: ChatSetup {
        var setup = ChatSetup { $0.requiresAuthentication = true }
        setup.authorities = [authority]
        return setup
    }

    /// A client whose handshake holds a token, before the answer about it.
    private func open(_ chat: ChatUnderTest, token: String?) -> TestClient {
        let channel = RecordingChannel()
        let handshake = Credentials(token: token)
        let session = chat.shard.sessions.open(
            channel: channel, encoding: .event, isRaw: true, handshake: handshake, id: nil)
        session.opened(by: handshake)
        return TestClient(session: session, channel: channel, parser: chat.shard.sessions.parser)
    }

    @Test func commandsWaitForTheAnswerAndKeepTheirOrder() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = open(chat, token: "ann")
            ann.send("join_room", #"{"roomId":"r"}"#, id: 1)
            ann.send("send_message", #"{"roomId":"r","message":"hello"}"#, id: 2)
            #expect(await chat.run { authority.asked == ["ann"] })
            #expect(ann.channel.names.isEmpty && ann.answer(1) == nil)
            authority.answer()
            await chat.runUntilQuiet()
            #expect(ann.channel.names.first == "authenticated")
            #expect(ann.answer(1)?.success == true && ann.answer(2)?.success == true)
        }
    }

    @Test func aClientAuthenticatesLaterAndItsNextCommandsWait() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = open(chat, token: nil)
            ann.send("authenticate", #"{"token":"ann"}"#, id: 1)
            ann.send("join_room", #"{"roomId":"r"}"#, id: 2)
            #expect(await chat.run { authority.asked == ["ann"] })
            #expect(ann.answer(2) == nil)
            authority.answer()
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true && ann.answer(2)?.success == true)
        }
    }

    @Test func aLiveSessionStaysWhenItsNewTokenCannotBeVerified() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = open(chat, token: "ann")
            #expect(await chat.run { authority.asked.count == 1 })
            authority.answer()
            await chat.runUntilQuiet()
            ann.send("authenticate", #"{"token":"ann"}"#, id: 1)
            #expect(await chat.run { authority.asked.count == 2 })
            authority.answer(isAway: true)
            await chat.runUntilQuiet()
            #expect(
                ann.answer(1)?.code == "auth_unavailable" && ann.answer(1)?.data["error"]?["retryable"]?.bool == true)
            #expect(ann.channel.closed == nil && ann.session.identity?.userID == user("ann"))
        }
    }

    @Test func aHandshakeThatCannotBeVerifiedEndsTheConnectionForALaterRetry() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = open(chat, token: "ann")
            #expect(await chat.run { authority.asked.count == 1 })
            authority.answer(isAway: true)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("error").map { $0["code"]?.string } == ["auth_unavailable"])
            #expect(ann.channel.closed?.code == .overloaded)
        }
    }

    @Test func aClientThatLeavesBeforeTheAnswerIsForgotten() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = open(chat, token: "ann")
            #expect(await chat.run { authority.asked.count == 1 })
            ann.session.closed(reason: "gone")
            authority.answer()
            await chat.runUntilQuiet()
            #expect(ann.channel.names.isEmpty && chat.services.users.sessions(of: user("ann")).isEmpty)
        }
    }
}
