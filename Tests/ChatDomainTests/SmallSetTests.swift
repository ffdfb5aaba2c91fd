import Testing

import ChatDomain
import TestSupport

@Suite("A small set")
struct SmallSetTests {
    @Test("does what a set does, whatever is put in and taken out")
    func likeSet() {
        var random = SplitMix(seed: 7)
        var small = SmallSet<Int>()
        var model: Set<Int> = []
        for _ in 0..<5000 {
            let element = Int(random.next() % 4)
            if random.next() % 2 == 0 {
                #expect(small.insert(element) == model.insert(element).inserted)
            } else {
                #expect(small.remove(element) == model.remove(element))
            }
            #expect(small.count == model.count)
            #expect(small.isEmpty == model.isEmpty)
            #expect(Set(small) == model)
            #expect((0..<4).allSatisfy { small.contains($0) == model.contains($0) })
        }
    }

    @Test("holds a single member without a collection, also after there were more")
    func single() {
        var set = SmallSet<Int>()
        set.insert(1)
        #expect(set == .one(1))
        set.insert(2)
        set.remove(1)
        #expect(set == .one(2))
        set.remove(2)
        #expect(set == .none)
    }
}
