/// Frames that wait for many connections, for each in a list of its own. All lists share two stretches of memory: small blocks
/// for each connection would leave holes among what stays, and a frame for many connections is kept once.
///
/// The memory is given back when the last list is taken.
struct PatientFrames {
    /// What waits for one connection. It takes four bytes, as there are very many connections.
    struct List {
        /// The place of the last node, counted from 1; 0 for an empty list.
        fileprivate var last: UInt32 = 0

        var isEmpty: Bool { last == 0 }
    }

    /// A list is a ring: the node behind its last is its first.
    private struct Node {
        let start: UInt32
        let count: UInt32
        var next: UInt32
        /// The bytes of the list up to here.
        let total: UInt32
    }

    /// The most nodes, of 16 bytes each.
    static let maximumNodes = 1 << 20
    /// The most bytes of frames, and of a list.
    static let maximumBytes = 16 << 20

    private var nodes: [Node] = []
    private var bytes: [UInt8] = []
    /// The frame at the end of `bytes`. As it is kept, no other frame has its address.
    private var newest: [UInt8] = []
    private var lists = 0

    /// The bytes that wait in a list.
    func byteCount(of list: List) -> Int { list.isEmpty ? 0 : Int(nodes[Int(list.last) - 1].total) }

    /// Puts a frame at the end of a list; false when there is no space until all lists are taken.
    mutating func append(_ frame: [UInt8], to list: inout List) -> Bool {
        let total = byteCount(of: list) + frame.count
        guard nodes.count < Self.maximumNodes, max(total, bytes.count + frame.count) <= Self.maximumBytes
        else { return false }
        keep(frame)
        let place = UInt32(nodes.count + 1)
        var first = place
        if list.isEmpty {
            lists += 1
        } else {
            first = nodes[Int(list.last) - 1].next
            nodes[Int(list.last) - 1].next = place
        }
        let start = UInt32(bytes.count - frame.count)
        nodes.append(Node(start: start, count: UInt32(frame.count), next: first, total: UInt32(total)))
        list.last = place
        return true
    }

    private mutating func keep(_ frame: [UInt8]) {
        let isNewest = frame.withUnsafeBytes { frame in
            newest.withUnsafeBytes { $0.baseAddress == frame.baseAddress && $0.count == frame.count }
        }
        guard !isNewest else { return }
        bytes += frame
        newest = frame
    }

    /// Empties a list; its frames one behind the other.
    mutating func take(_ list: inout List) -> [UInt8] {
        guard !list.isEmpty else { return [] }
        var taken: [UInt8] = []
        taken.reserveCapacity(byteCount(of: list))
        var place = list.last
        repeat {
            place = nodes[Int(place) - 1].next
            let node = nodes[Int(place) - 1]
            taken += bytes[Int(node.start)..<Int(node.start + node.count)]
        } while place != list.last
        drop(&list)
        return taken
    }

    /// Empties a list.
    mutating func drop(_ list: inout List) {
        guard !list.isEmpty else { return }
        list.last = 0
        lists -= 1
        if lists == 0 { self = Self() }
    }
}
