import TestSupport
import Testing

@testable import Engine

@Suite struct PatientFramesTests {
    private typealias List = PatientFrames.List

    private var frames = PatientFrames()

    private mutating func append(_ text: String, to list: inout List) -> Bool {
        frames.append(Array(text.utf8), to: &list)
    }
    private mutating func take(_ list: inout List) -> String { String(decoding: frames.take(&list), as: UTF8.self) }

    @Test mutating func eachListKeepsItsOrder() {
        var (first, second) = (List(), List())
        for word in ["a", "bc", "def"] {
            #expect(append(word, to: &first))
            #expect(append(word.uppercased(), to: &second))
            #expect(append("-", to: &second))
        }
        #expect(frames.byteCount(of: first) == 6 && frames.byteCount(of: second) == 9)
        #expect(take(&first) == "abcdef" && first.isEmpty)
        #expect(append("g", to: &first) && take(&first) == "g")
        #expect(take(&second) == "A-BC-DEF-")
        #expect(take(&second) == "" && frames.byteCount(of: second) == 0)
    }

    /// Lists are taken and dropped in any order, and begin again, beside a plain model of them.
    @Test(arguments: 1...20) mutating func theyAreAsListsOfTheirOwn(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var lists = [List](repeating: List(), count: 7)
        var model = [String](repeating: "", count: 7)
        let words = (0..<5).map { Array(String(repeating: "\($0)", count: $0 * 3).utf8) }
        for _ in 0..<2000 {
            let index = Int.random(in: 0..<7, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: #expect(take(&lists[index]) == model[index])
            case 1: frames.drop(&lists[index])
            default:
                let word = words.randomElement(using: &generator) ?? []
                #expect(frames.append(word, to: &lists[index]))
                model[index] += String(decoding: word, as: UTF8.self)
                #expect(frames.byteCount(of: lists[index]) == model[index].utf8.count)
                continue
            }
            model[index] = ""
        }
        for index in lists.indices { #expect(take(&lists[index]) == model[index]) }
    }

    @Test mutating func aFrameOfManyListsIsKeptOnce() {
        var lists = [List](repeating: List(), count: 100)
        let large = [UInt8](repeating: 1, count: PatientFrames.maximumBytes / 2)
        for index in lists.indices { #expect(frames.append(large, to: &lists[index])) }
        // An equal one that is another is not looked for.
        var other = large
        other[0] = 1
        #expect(frames.append(other, to: &lists[0]))
        #expect(!frames.append([1], to: &lists[1]))
    }

    @Test mutating func aListIsBoundedToo() {
        var (long, other) = (List(), List())
        let large = [UInt8](repeating: 1, count: PatientFrames.maximumBytes / 4)
        for _ in 0..<4 { #expect(frames.append(large, to: &long)) }
        #expect(!frames.append(large, to: &long) && frames.append(large, to: &other))
    }

    @Test mutating func itIsBoundedUntilAllAreTaken() {
        var (first, second) = (List(), List())
        #expect(append("a", to: &first))
        #expect(!frames.append([UInt8](repeating: 0, count: PatientFrames.maximumBytes), to: &first))
        for _ in 1..<PatientFrames.maximumNodes { _ = frames.append([1], to: &second) }
        #expect(!frames.append([1], to: &second))
        #expect(frames.byteCount(of: second) == PatientFrames.maximumNodes - 1)
        frames.drop(&second)
        #expect(!frames.append([1], to: &second), "what one list had is free only when no list is left")
        #expect(take(&first) == "a")
        #expect(frames.append([1], to: &second))
    }
}
