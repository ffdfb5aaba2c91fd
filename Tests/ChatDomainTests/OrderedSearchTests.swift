import ChatDomain
import Testing

@Suite struct OrderedSearchTests {
    @Test(arguments: 0..<9) func theFirstElementThatIsNotBeforeIsFound(sought: Int) {
        let list = [1, 3, 3, 5, 7]
        let expected = list.filter { $0 < sought }.count
        #expect(list.firstIndex(notBefore: { $0 < sought }) == expected)
        #expect(list[1...].firstIndex(notBefore: { $0 < sought }) == max(1, expected))
    }

    @Test func anEmptyListHasItsEndOnly() {
        #expect([Int]().firstIndex(notBefore: { _ in true }) == 0)
    }
}
