import ChatDomain

@testable import ChatCore

func user(_ name: String) -> UserID { UserID(unchecked: name) }
func room(_ name: String) -> RoomID { RoomID(unchecked: name) }
func roomUser(_ name: String) -> RoomUser { RoomUser(userID: user(name), username: name) }
func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: 1_000_000 + milliseconds) }
func stamp(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

func address(_ slot: UInt32, shard: UInt16 = 0) -> SessionAddress {
    SessionAddress(shard: shard, slot: slot, generation: 0)
}
