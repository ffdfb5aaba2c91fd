import ChatDomain

/// Pending events, and deliveries to webhook receivers, are the real store's.
extension FaultyStore {
    package func pendingEvents(
        of owner: InstanceID, to destination: EventDestination, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [RoomLogEntry] {
        try await real.pendingEvents(of: owner, to: destination, limit: limit, except: except)
    }

    package func clearEvents(_ ids: [MessageID], to destination: EventDestination) async throws(StoreError) {
        try await real.clearEvents(ids, to: destination)
    }

    package func adoptEvents(
        of dead: InstanceID, to destination: EventDestination, by owner: InstanceID
    ) async throws(StoreError) -> Int {
        try await real.adoptEvents(of: dead, to: destination, by: owner)
    }

    package func eventOwners(to destination: EventDestination) async throws(StoreError) -> [InstanceID] {
        try await real.eventOwners(to: destination)
    }

    package func backlog(to destination: EventDestination) async throws(StoreError) -> (count: Int, oldest: Timestamp?)
    {
        try await real.backlog(to: destination)
    }

    package func addDeliveries(_ deliveries: [WebhookDelivery], owner: InstanceID) async throws(StoreError) {
        try await real.addDeliveries(deliveries, owner: owner)
    }

    package func dueDeliveries(
        of owner: InstanceID, to receiver: String, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> [DueDelivery] {
        try await real.dueDeliveries(of: owner, to: receiver, at: now, limit: limit)
    }

    package func record(_ results: [WebhookResult]) async throws(StoreError) { try await real.record(results) }

    package func abandonDeliveries(
        of owner: InstanceID, notTo receivers: Set<String>, at now: Timestamp, failure: String
    ) async throws(StoreError) -> Int {
        try await real.abandonDeliveries(of: owner, notTo: receivers, at: now, failure: failure)
    }

    package func adoptDeliveries(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int {
        try await real.adoptDeliveries(of: dead, by: owner)
    }

    package func deliveryOwners() async throws(StoreError) -> [InstanceID] { try await real.deliveryOwners() }

    package func deliveryCounts() async throws(StoreError) -> [String: WebhookCounts] {
        try await real.deliveryCounts()
    }

    package func deadLetters(
        after cursor: WebhookDelivery.ID?, limit: Int
    ) async throws(StoreError) -> [WebhookDelivery] { try await real.deadLetters(after: cursor, limit: limit) }

    package func replayDeadLetters(
        _ event: String?, by owner: InstanceID, at now: Timestamp
    ) async throws(StoreError) -> Int { try await real.replayDeadLetters(event, by: owner, at: now) }

    package func trimDeadLetters(to limit: Int) async throws(StoreError) -> Int {
        try await real.trimDeadLetters(to: limit)
    }
}
