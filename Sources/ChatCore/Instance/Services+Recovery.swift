import ChatDomain

extension Services {
    /// The session a client left, on whichever instance that was; one that is still open is ended.
    package func recover(_ key: RecoveryKey) async -> RecoverableSession? {
        guard let recovery else { return nil }
        let askOthers: @Sendable () -> Void = { [self] in
            presence.directory.send(InstanceMessage.release(key, to: configuration.instance).encoded, to: nil)
        }
        return await recovery.take(
            key, ending: { [self] in endForReturn($0) }, asking: bus == nil ? nil : askOthers)
    }

    /// Another instance's client wants a session that may be open here.
    package func release(_ key: RecoveryKey, to instance: InstanceID) {
        recovery?.release(key, ending: { endForReturn($0) }) { [self] in
            presence.directory.send(InstanceMessage.released(key).encoded, to: instance)
        }
    }

    private func endForReturn(_ address: SessionAddress) {
        let error = ChatError(.replaced, "the client came back on another connection")
        mailbox(address.shard).post(.close(address, .restart, error))
    }
}
