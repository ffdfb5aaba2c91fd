import ChatDomain

/// Requests that were decided on and are not sent yet. Departures wait for each other; everything else is due at once, and takes with it
/// what has to stand before it.
struct UnsentRequests {
    /// Departures that wait at most until they are sent without being asked for.
    static let maximumWaiting = 100

    private var waiting: [DirectoryRequest] = []
    private var waitingUsers: Set<UserID> = []
    private var due: [DirectoryRequest] = []

    /// Adds one that is due. What concerns another user than those that leave does not send them off.
    mutating func add(_ request: DirectoryRequest) {
        let mayOvertake = !request.isDeparture && request.user.map { !waitingUsers.contains($0) } ?? false
        if !mayOvertake { sendOff() }
        due.append(request)
    }

    /// Adds a departure that may wait. It does not where something is due, which may be of the same user and stays before it.
    mutating func addPatient(_ request: DirectoryRequest) {
        guard due.isEmpty else {
            sendOff()
            return due.append(request)
        }
        waiting.append(request)
        if let user = request.user { waitingUsers.insert(user) }
        if waiting.count > Self.maximumWaiting { sendOff() }
    }

    /// Those that are due, in their order.
    mutating func takeDue() -> [DirectoryRequest] {
        defer { due = [] }
        return due
    }

    /// Has those that wait be due. They came before what is due already.
    mutating func sendOff() {
        guard !waiting.isEmpty else { return }
        due = due.isEmpty ? waiting : waiting + due
        waiting.removeAll(keepingCapacity: true)
        waitingUsers.removeAll(keepingCapacity: true)
    }
}
