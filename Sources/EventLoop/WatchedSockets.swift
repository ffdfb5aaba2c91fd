/// The sockets of a loop by descriptor. It keeps them alive until they are given up.
struct WatchedSockets {
    /// For watches of what is no socket.
    static let unusedTag: UInt32 = 0

    private var byDescriptor: [Socket?] = []
    private var lastTag = Self.unusedTag

    /// A tag that no watch had lately.
    mutating func makeTag() -> UInt32 {
        lastTag &+= 1
        return lastTag
    }

    mutating func insert(_ socket: Socket) {
        let index = Int(socket.descriptor)
        if index >= byDescriptor.count {
            // Descriptors are given in ascending order: a quarter more at a time keeps both copies and unused room few.
            let room = index + 1 + index / 4
            byDescriptor.reserveCapacity(room)
            byDescriptor += repeatElement(nil, count: room - byDescriptor.count)
        }
        byDescriptor[index] = socket
    }

    mutating func remove(_ socket: Socket) { byDescriptor[Int(socket.descriptor)] = nil }

    /// The socket of this watch; nil when it was given up since.
    subscript(watch: Watch) -> Socket? {
        let index = Int(watch.descriptor)
        guard byDescriptor.indices.contains(index), let socket = byDescriptor[index] else { return nil }
        return socket.tag == watch.tag ? socket : nil
    }
}
