import ChatDomain

extension EventDestination {
    /// The field of a message or a change that names the instance under which its event is pending.
    var ownerField: String {
        switch self {
        case .broker: "eventOwner"
        case .webhooks: "webhookOwner"
        }
    }

    /// Matches entries that are pending.
    var isPending: BSONDocument { [ownerField: .document(MongoSchema.isText)] }
}

extension BSONDocument {
    /// Takes the marks off that an entry's events are pending: what an update removes.
    static var pendingEvents: BSONDocument {
        BSONDocument(fields: EventDestination.allCases.map { .init(name: $0.ownerField, value: "") })
    }

    /// Sets the marks that an entry's events are pending.
    mutating func setPendingEvents(_ owners: [(destination: EventDestination, owner: InstanceID)]) {
        for (destination, owner) in owners { self[destination.ownerField] = .string(owner.value) }
    }
}
