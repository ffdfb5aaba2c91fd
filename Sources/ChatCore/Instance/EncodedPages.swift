import ChatDomain
import Synchronization

/// Pages of history as they are sent, for the many that ask for the same one, as all clients of a room do when they come back at once.
///
/// A page is found by its tag, which changes whenever its content may have changed. So nothing has to be removed for a page to be right;
/// what lapses is removed so that erased and deleted texts do not stay in memory.
package final class EncodedPages: Sendable {
    private let shelf: Mutex<PageShelf>

    init(at now: Moment) { shelf = Mutex(PageShelf(at: now)) }

    package func page(of room: RoomID, _ tag: PageTag) -> EncodedPage? { shelf.withLock { $0.page(of: room, tag) } }

    package func add(_ page: EncodedPage, of room: RoomID, _ tag: PageTag) {
        shelf.withLock { $0.add(page, of: room, tag) }
    }

    func removeAll() { shelf.withLock { $0.removeAll() } }
    func sweep(at now: Moment) { shelf.withLock { $0.sweep(at: now) } }
}

/// A page as it is sent.
package struct EncodedPage: Sendable {
    package let body: [UInt8]
    /// The tag's text.
    package let tag: String

    package init(body: [UInt8], tag: String) {
        self.body = body
        self.tag = tag
    }
}

/// Pages in two generations: the older one lapses when the younger one is full, or after a time.
struct PageShelf {
    /// Bytes in a generation.
    static let generationBytes = 16 << 20
    /// What a page takes beside its body, about.
    static let overheadBytes = 256
    /// Larger pages are not kept.
    static let maximumPageBytes = 64 << 10
    /// For so long pages are added to a generation. A page is kept for twice that, at most.
    static let generationTime: Duration = .seconds(30)

    /// Compared in this order: pages of one room differ in their tags.
    private struct Key: Hashable {
        let tag: PageTag
        let room: RoomID
    }

    private var young: [Key: EncodedPage] = [:]
    private var old: [Key: EncodedPage] = [:]
    private var youngBytes = 0
    private var begun: Moment

    init(at now: Moment) { begun = now }

    func page(of room: RoomID, _ tag: PageTag) -> EncodedPage? {
        let key = Key(tag: tag, room: room)
        return young[key] ?? old[key]
    }

    mutating func add(_ page: EncodedPage, of room: RoomID, _ tag: PageTag) {
        guard page.body.count <= Self.maximumPageBytes else { return }
        let bytes = page.body.count + Self.overheadBytes
        if youngBytes + bytes > Self.generationBytes { age() }
        let replaced = young.updateValue(page, forKey: Key(tag: tag, room: room))
        youngBytes += bytes - (replaced.map { $0.body.count + Self.overheadBytes } ?? 0)
    }

    mutating func removeAll() { self = PageShelf(at: begun) }

    mutating func sweep(at now: Moment) {
        guard now - begun >= Self.generationTime else { return }
        begun = now
        age()
    }

    private mutating func age() {
        old = young
        young = [:]
        youngBytes = 0
    }
}
