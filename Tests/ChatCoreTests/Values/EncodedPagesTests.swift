import ChatDomain
import Testing

@testable import ChatCore

@Suite struct EncodedPagesTests {
    private let start = Moment(milliseconds: 1000)
    private let a = RoomID(unchecked: "a")
    private let b = RoomID(unchecked: "b")

    private func page(_ bytes: Int) -> EncodedPage {
        EncodedPage(body: [UInt8](repeating: 1, count: bytes), tag: "")
    }

    private func tag(_ number: Int) -> PageTag {
        PageTag(of: HistoryQuery(.latest), upTo: Int64(number), HistoryGeneration(start: 0, erasures: 0))
    }

    @Test func aPageIsFoundByItsRoomAndTag() {
        let pages = EncodedPages(at: start)
        pages.add(page(10), of: a, tag(1))
        pages.add(page(20), of: b, tag(1))
        #expect(pages.page(of: a, tag(1))?.body.count == 10)
        #expect(pages.page(of: b, tag(1))?.body.count == 20)
        #expect(pages.page(of: a, tag(2)) == nil)
        pages.removeAll()
        #expect(pages.page(of: a, tag(1)) == nil)
    }

    @Test func aPageLapses() {
        let pages = EncodedPages(at: start)
        pages.add(page(10), of: a, tag(1))
        // Each loop sweeps; that is not oftener than one.
        for _ in 0..<4 { pages.sweep(at: start + PageShelf.generationTime) }
        #expect(pages.page(of: a, tag(1)) != nil)
        pages.sweep(at: start + PageShelf.generationTime * 2)
        #expect(pages.page(of: a, tag(1)) == nil)
    }

    @Test func pagesAreBoundedInBytes() {
        var shelf = PageShelf(at: start)
        let page = self.page(PageShelf.maximumPageBytes)
        let count = PageShelf.generationBytes / (page.body.count + PageShelf.overheadBytes)
        for number in 0..<3 * count { shelf.add(page, of: a, tag(number)) }
        let kept = (0..<3 * count).count { shelf.page(of: a, tag($0)) != nil }
        #expect(kept == 2 * count)
        shelf.add(self.page(page.body.count + 1), of: a, tag(-1))
        #expect(shelf.page(of: a, tag(-1)) == nil)
    }

    @Test func emptyPagesAreBoundedToo() {
        var shelf = PageShelf(at: start)
        let count = PageShelf.generationBytes / PageShelf.overheadBytes
        for number in 0..<3 * count { shelf.add(page(0), of: a, tag(number)) }
        #expect(shelf.page(of: a, tag(0)) == nil)
    }

    @Test func aPageThatIsAddedAgainCountsOnce() {
        var shelf = PageShelf(at: start)
        shelf.add(page(10), of: a, tag(-1))
        let page = self.page(PageShelf.maximumPageBytes)
        for _ in 0..<3 * PageShelf.generationBytes / page.body.count { shelf.add(page, of: a, tag(1)) }
        #expect(shelf.page(of: a, tag(-1)) != nil)
    }

    @Test func aTagSaysEverythingThatDecidesThePage() {
        let generation = HistoryGeneration(start: 1_700_000_000_123, erasures: 4)
        let cursors: [(HistoryQuery.Cursor, String)] = [
            (.latest, "l"), (.before(7), "b7"), (.after(0), "a0"), (.around(9), "m9"),
        ]
        for (cursor, place) in cursors {
            let tag = PageTag(of: HistoryQuery(cursor, limit: 20, base: 3), upTo: 12, generation)
            #expect(tag.text == "\"1700000000123-4-3-12-\(place)-20\"")
        }
    }
}
