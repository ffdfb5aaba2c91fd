import ChatCore
import ChatDomain
import EventLoop
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The way from one shard to the others.
@Suite struct GatewayLoopTests {
    private final class Shards: Sendable {
        let wakeUps = Mutex<[Int]>([0, 0, 0])
        let mailboxes: Mutex<[Mailbox<ShardMessage>]> = Mutex([])

        init() {
            let made = (0..<3).map { shard in
                Mailbox<ShardMessage> { [unowned self] in self.wakeUps.withLock { $0[shard] += 1 } }
            }
            mailboxes.withLock { $0 = made }
        }

        func loop() -> GatewayLoop {
            GatewayLoop(EventLoop(name: "loop"), index: 0, mailboxes: mailboxes.withLock { $0 }) { _, _ in }
        }

        /// The rooms that messages of a shard are about, in their order.
        func rooms(of shard: Int) -> [String] {
            var messages: [ShardMessage] = []
            mailboxes.withLock { $0[shard] }.takeAll(leaving: &messages)
            return messages.map { if case .subscribed(let room) = $0 { room.value } else { "" } }
        }
    }

    private func message(_ room: String) -> ShardMessage { .subscribed(RoomID(unchecked: room)) }

    @Test func aTurnWakesAShardOnce() {
        let shards = Shards()
        let loop = shards.loop()
        for turn in 1...2 {
            for room in ["a", "b", "c"] { loop.post(message(room), to: 2) }
            loop.post(message("d"), to: 1)
            #expect(shards.wakeUps.withLock { $0 } == [0, turn - 1, turn - 1], "the turn goes on")
            loop.postOutgoing()
            loop.postOutgoing()
            #expect(shards.wakeUps.withLock { $0 } == [0, turn, turn])
            #expect(shards.rooms(of: 2) == ["a", "b", "c"] && shards.rooms(of: 1) == ["d"])
        }
    }

    @Test func messagesToItselfStayHere() {
        let shards = Shards()
        let loop = shards.loop()
        loop.post(message("a"), to: 0)
        loop.postOutgoing()
        #expect(loop.hasLocal && shards.wakeUps.withLock { $0 } == [0, 0, 0])
        var rooms: [String] = []
        loop.drainLocal { if case .subscribed(let room) = $0 { rooms.append(room.value) } }
        #expect(rooms == ["a"])
    }

    @Test func workOffTheLoopDoesNotOvertakeWhatWasPosted() async {
        let shards = Shards()
        let loop = shards.loop()
        let mailbox = shards.mailboxes.withLock { $0[1] }
        loop.post(message("first"), to: 1)
        let isPosted = Atomic(false)
        loop.run(
            {
                mailbox.post(.subscribed(RoomID(unchecked: "second")))
                isPosted.store(true, ordering: .releasing)
            }, then: { _ in })
        #expect(await eventually { isPosted.load(ordering: .acquiring) })
        #expect(shards.rooms(of: 1) == ["first", "second"])
    }

    @Test func aMessageIsTakenAtOnceWhereItOvertakesNone() {
        let shards = Shards()
        let loop = shards.loop()
        var rooms: [String] = []
        func note(_ message: ShardMessage) { if case .subscribed(let room) = message { rooms.append(room.value) } }
        #expect(loop.takeAtOnce(message("a"), note))
        #expect(rooms == ["a"])

        loop.post(message("local"), to: 0)
        #expect(!loop.takeAtOnce(message("b"), note))
        loop.drainLocal { each in
            note(each)
            #expect(!loop.takeAtOnce(message("c"), note), "one is being handled")
        }
        shards.mailboxes.withLock { $0[0] }.post(message("posted"))
        #expect(!loop.takeAtOnce(message("d"), note))
        loop.drainMailbox(note)
        #expect(loop.takeAtOnce(message("e"), note))
        #expect(rooms == ["a", "local", "posted", "e"])
    }

    @Test func whatIsNotTakenAtOnceIsPosted() {
        let taken = Mutex<[Int]>([])
        let mailbox = Mailbox<Int>(
            wake: {},
            takeAtOnce: { number in
                taken.withLock { $0.append(number) }
                return number < 2
            })
        mailbox.deliver(1)
        #expect(mailbox.isEmpty)
        mailbox.deliver(2)
        #expect(!mailbox.isEmpty && taken.withLock { $0 } == [1, 2])
    }
}
