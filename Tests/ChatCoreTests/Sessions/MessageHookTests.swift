import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import TestSupport
import Testing

@testable import ChatCore

/// A hook whose verdicts a test gives, by the text of the question. Texts that are held wait for `release`.
private final class HookDouble: MessageHook {
    private struct State {
        var verdicts: [String: HookVerdict] = [:]
        var held: [String: CheckedContinuation<Void, Never>?] = [:]
        var questions: [HookQuestion] = []
    }

    private let state = Mutex(State())

    init(_ verdicts: [String: HookVerdict] = [:], holding held: [String] = []) {
        state.withLock { state in
            state.verdicts = verdicts
            for text in held { state.held[text] = .some(nil) }
        }
    }

    var questions: [HookQuestion] { state.withLock { $0.questions } }

    func release(_ text: String) { state.withLock { $0.held.removeValue(forKey: text) ?? nil }?.resume() }

    func verdict(on question: HookQuestion) async -> HookVerdict {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                state.questions.append(question)
                guard state.held[question.text] != nil else { return false }
                state.held[question.text] = continuation
                return true
            }
            if !isHeld { continuation.resume() }
        }
        return state.withLock { $0.verdicts[question.text] ?? .allow }
    }
}

/// Texts that a hook decides about before they are stored.
@Suite struct MessageHookTests {
    private func setup(_ hook: HookDouble) -> ChatSetup {
        var setup = ChatSetup()
        setup.hook = hook
        return setup
    }

    @Test func aMessageIsAllowedRefusedOrReplaced() async throws {
        let hook = HookDouble([
            "bad": .refuse(ChatError(.forbidden, "no insults")), "darn <@cid>": .replace("dear <@bob>"),
        ])
        try await ChatUnderTest.serve(setup(hook)) { chat in
            let (ann, bob) = (await chat.client("ann", in: "a"), await chat.client("bob", in: "a"))
            ann.send("send_message", #"{"roomId":"a","message":"good","metadata":{"x":1},"messageType":"joke"}"#, id: 1)
            ann.send("send_message", #"{"roomId":"a","message":"bad"}"#, id: 2)
            ann.send("send_message", #"{"roomId":"a","message":"darn <@cid>"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.seq == 1 && ann.answer(3)?.seq == 2)
            #expect(ann.answer(2)?.code == "forbidden")
            #expect(ann.answer(2)?.data["error"]?["message"]?.string == "no insults")
            #expect(bob.messages == ["good", "dear <@bob>"])
            #expect(bob.channel.events("new_message").last?["mentions"]?[0]?.string == "bob")
            let first = try #require(hook.questions.first)
            #expect(first.room == room("a") && first.author.userID == user("ann") && first.kind == "joke")
            #expect(first.metadata == #"{"x":1}"# && first.edited == nil)
        }
    }

    @Test func theOrderOfASenderIsKeptAndOthersDoNotWait() async throws {
        let hook = HookDouble(holding: ["slow"])
        try await ChatUnderTest.serve(setup(hook)) { chat in
            let (ann, bob) = (await chat.client("ann", in: "a"), await chat.client("bob", in: "a"))
            ann.send("send_message", #"{"roomId":"a","message":"slow"}"#, id: 1)
            ann.send("send_message", #"{"roomId":"a","message":"next"}"#, id: 2)
            bob.send("send_message", #"{"roomId":"a","message":"other"}"#, id: 1)
            #expect(await chat.run { bob.answer(1)?.seq == 1 }, "the room goes on")
            #expect(ann.answer(1) == nil && hook.questions.map(\.text) != ["slow", "next"])
            hook.release("slow")
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.seq == 2 && ann.answer(2)?.seq == 3)
            #expect(bob.messages == ["other", "slow", "next"])
        }
    }

    @Test func editsAreAskedAboutAndOtherChangesAreNot() async throws {
        let hook = HookDouble([
            "worse <@cid>": .replace("better <@bob>"), "worst": .refuse(ChatError(.forbidden, "no")),
        ])
        try await ChatUnderTest.serve(setup(hook)) { chat in
            let ann = await chat.client("ann", in: "a")
            ann.send("send_message", #"{"roomId":"a","message":"one"}"#, id: 1)
            await chat.runUntilQuiet()
            let id = try #require(ann.answer(1)?.data["messageId"]?.string)
            ann.send("edit_message", #"{"roomId":"a","messageId":"\#(id)","message":"worse <@cid>"}"#, id: 2)
            ann.send("edit_message", #"{"roomId":"a","messageId":"\#(id)","message":"worst"}"#, id: 3)
            ann.send("react", #"{"roomId":"a","messageId":"\#(id)","emoji":":wave:"}"#, id: 4)
            await chat.runUntilQuiet()
            #expect(ann.answer(2)?.seq == 2 && ann.answer(3)?.code == "forbidden" && ann.answer(4)?.seq == 3)
            let edit = try #require(ann.channel.events("message_edited").last)
            #expect(edit["message"]?.string == "better <@bob>")
            #expect(edit["mentions"]?.array?.compactMap(\.string) == ["bob"])
            #expect(hook.questions.map { $0.edited?.description } == [nil, id, id])
        }
    }

    @Test func aRepeatOfAStoredMessageIsNotAskedAboutAgain() async throws {
        let hook = HookDouble(["raw": .replace("cooked")])
        try await ChatUnderTest.serve(setup(hook)) { chat in
            let ann = await chat.client("ann", in: "a")
            for id in [1, 2] as [Int64] {
                ann.send("send_message", #"{"roomId":"a","message":"raw","clientMessageId":"c1"}"#, id: id)
                await chat.runUntilQuiet()
            }
            #expect(ann.answer(1)?.seq == 1 && ann.answer(1)?.data["duplicate"] == nil)
            #expect(ann.answer(2)?.seq == 1 && ann.answer(2)?.data["duplicate"]?.bool == true)
            #expect(hook.questions.count == 1 && ann.messages == ["cooked"])
        }
    }

    @Test func messagesStraightToUsersAreAskedAboutToo() async throws {
        let hook = HookDouble(["bad": .refuse(ChatError(.forbidden, "no")), "raw": .replace("cooked")])
        try await ChatUnderTest.serve(setup(hook)) { chat in
            let (ann, bob) = (await chat.client("ann"), await chat.client("bob"))
            ann.send("send_message", #"{"recipientIds":["bob"],"message":"bad"}"#, id: 1)
            ann.send("send_message", #"{"recipientIds":["bob"],"message":"raw"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.code == "forbidden" && ann.answer(2)?.data["status"]?.string == "sent")
            #expect(bob.channel.events("message").compactMap { $0["message"]?.string } == ["cooked"])
            #expect(hook.questions.map(\.recipients) == [[user("bob")], [user("bob")]])
        }
    }
}
