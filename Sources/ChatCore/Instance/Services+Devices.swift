import ChatDomain
import ChatProtocol

extension Services {
    /// Sends a user's read mark to the user's other sessions, in rooms or not, on all instances.
    package func sendToDevices(_ mark: ReadMark, in room: RoomID, except session: SessionAddress?) {
        let user = mark.userID
        let here = sendToDevicesHere(mark, in: room, except: session)
        // The presence in memory has the number of sessions, so that most marks ask Redis nothing.
        guard bus != nil, let standing = presence.presence(of: user), standing.sessions > here else { return }
        let message = InstanceMessage.read(mark, in: room).encoded
        Task { [self] in
            let instances = await presence.directory.instances(of: [user])[user] ?? []
            for instance in instances where instance != configuration.instance {
                presence.directory.send(message, to: instance)
            }
        }
    }

    /// Sends a read mark to the user's sessions on this instance; how many there are.
    @discardableResult
    package func sendToDevicesHere(_ mark: ReadMark, in room: RoomID, except session: SessionAddress? = nil) -> Int {
        let addresses = users.sessions(of: mark.userID)
        let others = addresses.filter { $0 != session }
        guard !others.isEmpty else { return addresses.count }
        var frames = EncodedFrames()
        frames.append(
            "message_read", data: EventJSON.read(mark, in: room), for: FrameEncoding.allCases, deflate: { _ in nil })
        for (shard, group) in Dictionary(grouping: others, by: \.shard) { mailbox(shard).post(.notice(group, frames)) }
        return addresses.count
    }
}
