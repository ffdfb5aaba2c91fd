import ChatDomain
import RedisTestSupport
import TestSupport
import Testing

/// The duties of `RoomBus`, over every implementation.
@Suite(.timeLimit(.minutes(5))) struct RoomBusContractTests {
    @Test(arguments: BusKind.allCases) func publicationsOfOthersAreDelivered(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        await ann.enter("r")
        bob.publish(["one", "two"], in: "r")
        bob.publish(["three"], in: "r")
        #expect(await eventually { ann.events.texts(in: "r") == ["one", "two", "three"] })
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func ownPublicationsAreNotDelivered(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        // One name begins with the other's.
        let (ann, bob) = (try await home.instance("a"), try await home.instance("ab"))
        await ann.enter("r")
        await bob.enter("r")
        ann.publish(["from a"], in: "r")
        bob.publish(["from ab"], in: "r")
        #expect(await eventually { ann.events.texts(in: "r") == ["from ab"] })
        #expect(await eventually { bob.events.texts(in: "r") == ["from a"] })
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func onlySubscribedRoomsAreDelivered(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        await ann.enter("r", "end")
        bob.publish(["not for you"], in: "other")
        bob.publish(["for you"], in: "r")
        #expect(await eventually { ann.events.texts(in: "r") == ["for you"] })
        ann.bus.unsubscribe("r")
        ann.bus.unsubscribe("never")
        // An unsubscription is not confirmed. A later subscription is, on the same connection.
        await ann.enter("later")
        bob.publish(["too late"], in: "r")
        bob.publish(["end"], in: "end")
        #expect(await eventually { ann.events.texts(in: "end") == ["end"] })
        #expect(ann.events.texts(in: "r") == ["for you"])
        #expect(ann.events.texts(in: "other").isEmpty)
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func subscribingIsIdempotentAndAlwaysAnswered(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        await ann.enter("r")
        let answers = ann.events.subscribed.count
        ann.bus.subscribe("r")
        #expect(await eventually { ann.events.subscribed.count > answers })
        bob.publish(["once"], in: "r")
        bob.publish(["end"], in: "r")
        #expect(await eventually { ann.events.texts(in: "r") == ["once", "end"] })
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func listenersOfARoomAreCounted(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        #expect(await ann.bus.listeners(of: "r") == 0)
        await ann.enter("r")
        #expect(await ann.bus.listeners(of: "r") == 1)
        await bob.enter("r")
        #expect(await ann.bus.listeners(of: "r") == 2)
        bob.bus.unsubscribe("r")
        #expect(await eventually { await ann.bus.listeners(of: "r") == 1 })
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func onePublishersOrderHolds(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let ann = try await home.instance("a")
        let others = [try await home.instance("b"), try await home.instance("c")]
        await ann.enter("r", "s")
        for number in 1...1000 {
            for (index, other) in others.enumerated() {
                other.bus.publish([("r", .text("\(index) \(number)")), ("s", .text("\(index) \(number)"))])
            }
        }
        #expect(await eventually { ann.events.texts(in: "r").count + ann.events.texts(in: "s").count == 4000 })
        for room: RoomID in ["r", "s"] {
            for index in others.indices {
                let heard = ann.events.texts(in: room).filter { $0.hasPrefix("\(index) ") }
                #expect(heard == (1...1000).map { "\(index) \($0)" })
            }
        }
        for peer in [ann] + others { await peer.close() }
    }

    @Test(arguments: BusKind.allCases) func namesAndPayloadsAreUnchanged(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a-1_Z"), try await home.instance("b"))
        let room: RoomID = "direct:a%3A:Zoë \u{1F600} \r\n*\"{}"
        await ann.enter(room)
        let payloads: [[UInt8]] = [
            Array(#"{"a":[1,2,{"b":"}"}],"instance":"b"}"#.utf8), Array("7".utf8),
            .text(String(repeating: "x", count: 200_000)),
        ]
        bob.bus.publish(payloads.map { (room, $0) })
        #expect(
            await eventually {
                ann.events.entries.compactMap { if case .received(room, let payload) = $0 { payload } else { nil } }
                    == payloads
            })
        await ann.close()
        await bob.close()
    }

    @Test(arguments: BusKind.allCases) func afterClosingNothingIsDelivered(_ kind: BusKind) async throws {
        let home = try await BusHome(kind)
        let (ann, bob) = (try await home.instance("a"), try await home.instance("b"))
        let witness = try await home.instance("w")
        await ann.enter("r")
        await witness.enter("r")
        await ann.close()
        let heard = ann.events.entries.count
        bob.publish(["late"], in: "r")
        #expect(await eventually { witness.events.texts(in: "r") == ["late"] })
        #expect(ann.events.entries.count == heard)
        await bob.close()
        await witness.close()
    }
}
