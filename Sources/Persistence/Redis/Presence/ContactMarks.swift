import ChatDomain

/// Numbered marks that an instance sends to itself over the channel on which payloads come. A mark that comes back shows that
/// everything published before it has been received.
struct ContactMarks {
    /// Between two marks whose listeners are counted.
    static let countInterval: Duration = .seconds(10)

    /// What the marks have proved.
    private(set) var contact = Contact()
    private var lastSent: UInt64 = 0
    private var countedAt: Moment?
    /// Marks on their way that prove contact, with when the renewal of the lease before them began.
    private var proofs: [UInt64: Moment] = [:]
    /// How many marks in a row had another listener than this instance.
    private var marksWithOtherListener = 0

    /// Whether another process listens under this instance's name. One mark says too little: Redis may keep a broken connection
    /// of this instance for a moment.
    var isNameShared: Bool { marksWithOtherListener > 1 }

    /// A mark that proves contact when it comes back.
    ///
    /// - Parameter began: when the renewal of the lease began by which the other instances know this one.
    mutating func nextProof(began: Moment) -> UInt64 {
        lastSent += 1
        let mark = lastSent
        // A mark that has not come back in this time proves nothing any more.
        proofs = proofs.filter { began - $0.value < Contact.validity }
        proofs[mark] = began
        return mark
    }

    mutating func didPublish(listeners: Int64, at now: Moment) {
        guard countedAt.map({ now - $0 >= Self.countInterval }) ?? true else { return }
        countedAt = now
        marksWithOtherListener = listeners > 1 ? marksWithOtherListener + 1 : 0
    }

    mutating func didReceive(_ mark: UInt64, at now: Moment) {
        if let began = proofs.removeValue(forKey: mark) { contact.prove(sentAt: began, at: now) }
    }

    /// The subscription ended, or began anew: payloads may have been missed.
    mutating func loseContact() {
        proofs = [:]
        contact.lose()
    }
}
