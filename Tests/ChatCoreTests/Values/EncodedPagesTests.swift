import ChatDomain
import Testing

@testable import ChatCore

@Suite struct EncodedPagesTests {
    private let start = Moment(milliseconds: 1000)
    private let a = RoomID(unchecked: "a")
    private let b = RoomID(unchecked: "b")

    private func body(_ bytes: Int, of byte: UInt8 = 1) -> [UInt8] { [UInt8](repeating: byte, count: bytes) }

    @Test func aPageIsFoundByItsRoomAndTag() {
        let pages = EncodedPages(at: start)
        pages.add(body(10), of: a, "1")
        pages.add(body(20), of: b, "1")
        #expect(pages.body(of: a, "1") == body(10))
        #expect(pages.body(of: b, "1") == body(20))
        #expect(pages.body(of: a, "2") == nil)
        pages.removeAll()
        #expect(pages.body(of: a, "1") == nil)
    }

    @Test func aPageLapses() {
        let pages = EncodedPages(at: start)
        pages.add(body(10), of: a, "1")
        // Each loop sweeps; that is not oftener than one.
        for _ in 0..<4 { pages.sweep(at: start + PageShelf.generationTime) }
        #expect(pages.body(of: a, "1") != nil)
        pages.sweep(at: start + PageShelf.generationTime * 2)
        #expect(pages.body(of: a, "1") == nil)
    }

    @Test func pagesAreBoundedInBytes() {
        var shelf = PageShelf(at: start)
        let page = body(PageShelf.maximumPageBytes)
        let count = PageShelf.generationBytes / (page.count + PageShelf.overheadBytes)
        for number in 0..<3 * count { shelf.add(page, of: a, "\(number)") }
        let kept = (0..<3 * count).count { shelf.body(of: a, "\($0)") != nil }
        #expect(kept == 2 * count)
        shelf.add(body(page.count + 1), of: a, "large")
        #expect(shelf.body(of: a, "large") == nil)
    }

    @Test func emptyPagesAreBoundedToo() {
        var shelf = PageShelf(at: start)
        let count = PageShelf.generationBytes / PageShelf.overheadBytes
        for number in 0..<3 * count { shelf.add([], of: a, "\(number)") }
        #expect(shelf.body(of: a, "0") == nil)
    }

    @Test func aPageThatIsAddedAgainCountsOnce() {
        var shelf = PageShelf(at: start)
        shelf.add(body(10), of: a, "first")
        let page = body(PageShelf.maximumPageBytes)
        for _ in 0..<3 * PageShelf.generationBytes / page.count { shelf.add(page, of: a, "1") }
        #expect(shelf.body(of: a, "first") != nil)
    }
}
