import ChatDomain

extension Services {
    /// Does what another instance asked for.
    package func perform(_ message: InstanceMessage) {
        switch message {
        case .close(let session, let user, let ending): end(session, of: user, ending)
        case .direct(let users, let data): deliverDirect(data, to: users)
        case .usage(let usages): note(usages)
        case .roomChanged(let room, let change, let notice):
            mailbox(home(of: room)).post(.roomChanged(room, change, notice))
        case .userChanged(let user, let notice): followStanding(of: user, notice)
        case .changeApplied(let ticket, let instance): notices.applied(ticket, by: instance)
        case .read(let mark, let room): sendToDevicesHere(mark, in: room)
        case .friendship(let a, let b, let isFriend): broadcast(.friendship(a, b, isFriend: isFriend))
        case .release(let key, let asker): release(key, to: asker)
        case .released(let key): recovery?.released(key)
        case .forward(let ticket, let write): mailbox(home(of: ticket.room)).post(.forward(ticket, write))
        case .outcome(let ticket, let outcome): mailbox(home(of: ticket.room)).post(.outcome(ticket, outcome))
        case .progress(let ticket): mailbox(home(of: ticket.room)).post(.progress(ticket))
        case .question(let ticket, let text):
            // An instance of another version may ask what this one does not know; it goes without an answer.
            if let question = FleetQuestion(decoding: text) { received(question, ticket) }
        case .answer(let ticket, let instance, let text): questions.receivedAnswer(to: ticket, by: instance, text)
        }
    }

    /// Ends a session wherever it is.
    package func end(_ record: SessionRecord, _ ending: InstanceMessage.Ending) {
        let user = record.user.userID
        guard record.instance != configuration.instance else { return end(record.id, of: user, ending) }
        presence.directory.send(InstanceMessage.close(record.id, of: user, ending).encoded, to: record.instance)
    }

    private func end(_ session: SessionID, of user: UserID, _ ending: InstanceMessage.Ending) {
        for shard in Set(users.sessions(of: user).map(\.shard)) { mailbox(shard).post(.end(session, of: user, ending)) }
    }

    /// A friendship began or ended: sessions that watch friends see it on every instance.
    package func announceFriendship(_ a: UserID, _ b: UserID, isFriend: Bool) {
        let message = InstanceMessage.friendship(a, b, isFriend: isFriend)
        perform(message)
        presence.directory.send(message.encoded, to: nil)
    }
}
