import ChatDomain
import JSON
import ChatProtocol

/// The users that a direct message reached.
package struct DirectDelivery: Sendable {
    private var outcomes: [(recipient: UserID, isReached: Bool)] = []
    package let timestamp: Timestamp

    package init(timestamp: Timestamp) { self.timestamp = timestamp }

    private func recipients(reached: Bool) -> [UserID] {
        outcomes.filter { $0.isReached == reached }.map(\.recipient)
    }

    package mutating func note(_ recipient: UserID, isReached: Bool) { outcomes.append((recipient, isReached)) }

    /// The same, with recipients that `isSeen` leaves out counted as not reached, in the order they were named.
    package func asSeen(_ isSeen: (UserID) -> Bool) -> DirectDelivery {
        var seen = DirectDelivery(timestamp: timestamp)
        for (recipient, isReached) in outcomes { seen.note(recipient, isReached: isReached && isSeen(recipient)) }
        return seen
    }

    /// The same for all of these recipients, in their order; those that are not known to be reached were not.
    package func completed(for recipients: [UserID]) -> DirectDelivery {
        let reached = Set(self.recipients(reached: true))
        var whole = DirectDelivery(timestamp: timestamp)
        for recipient in recipients { whole.note(recipient, isReached: reached.contains(recipient)) }
        return whole
    }

    /// `{status, recipients:{total, sent, failed}, timestamp}`; the status is `error` when no recipient was reached.
    package var json: [UInt8] {
        let (sent, failed) = (recipients(reached: true), recipients(reached: false))
        return EventJSON.object { out in
            out.member("status", sent.isEmpty ? "error" : "sent")
            out.key("recipients")
            out.object { out in
                out.member("total", sent.count + failed.count)
                out.key("sent")
                out.array(sent) { $0.string($1.value) }
                out.key("failed")
                out.array(failed) { $0.string($1.value) }
            }
            out.member("timestamp", timestamp.iso8601)
        }
    }
}

extension Services {
    /// Sends a user's message straight to users' live sessions; a recipient the sender may not see online gets it too, and
    /// counts as not reached. Recipients that block the sender do not get it.
    package func sendDirect(_ message: OutgoingMessage, by user: UserID, to recipients: [UserID]) async
        -> DirectDelivery
    {
        let viewer = await presence.viewer(user)
        let blockers = await presence.blockers(of: user)
        let delivery = await sendDirect(message, from: user, to: recipients.filter { !blockers.holds($0) })
            .completed(for: recipients)
        let hidden = await presence.hidden(among: recipients)
        return delivery.asSeen { $0 == user || viewer.sees($0) && !hidden.contains($0) }
    }

    /// Sends straight to users' live sessions on all instances; a user without one is not reached. Nothing is stored.
    package func sendDirect(
        _ message: OutgoingMessage, from sender: UserID, to recipients: [UserID]
    ) async -> DirectDelivery {
        let now = clock.now.wall
        let data = EventJSON.direct(message, id: messageID(at: now), from: sender, at: now)
        let instances = await presence.directory.instances(of: recipients)
        var elsewhere: [InstanceID: [UserID]] = [:]
        for recipient in recipients {
            for instance in instances[recipient] ?? [] where instance != configuration.instance {
                elsewhere[instance, default: []].append(recipient)
            }
        }
        for (instance, users) in elsewhere {
            presence.directory.send(InstanceMessage.direct(users, data).encoded, to: instance)
        }
        let reached = deliverDirect(data, to: recipients)
        var delivery = DirectDelivery(timestamp: now)
        for recipient in recipients {
            delivery.note(recipient, isReached: reached.contains(recipient) || instances[recipient]?.isEmpty == false)
        }
        return delivery
    }

    /// Hands a message's data to the users' sessions on this instance; which of them have one.
    @discardableResult
    package func deliverDirect(_ data: [UInt8], to recipients: [UserID]) -> Set<UserID> {
        var frames = EncodedFrames()
        frames.append("message", data: data, for: FrameEncoding.allCases, deflate: { _ in nil })
        var reached: Set<UserID> = []
        for recipient in recipients {
            let addresses = users.sessions(of: recipient)
            if !addresses.isEmpty { reached.insert(recipient) }
            for (shard, group) in Dictionary(grouping: addresses, by: \.shard) {
                mailbox(shard).post(.direct(group, frames))
            }
        }
        return reached
    }
}

extension EventJSON {
    package static func direct(_ message: OutgoingMessage, id: MessageID, from sender: UserID, at now: Timestamp)
        -> [UInt8]
    {
        object { out in
            out.key("messageId")
            out.id(id)
            out.member("senderId", sender.value)
            out.member("message", message.text)
            if let metadata = message.metadata {
                out.key("metadata")
                out.raw(metadata.utf8)
            }
            out.member("timestamp", now.milliseconds)
        }
    }
}
