import JSON

/// The `{"_placeholder":true,"num":n}` objects that stand in a binary packet's payload for its attachments.
enum SocketIOPlaceholders {
    /// Whether `payload` is JSON, each of its placeholders names one of the `count` attachments, and each attachment is
    /// named by one at least. JSON nested too deep to be looked at passes: it is refused as an event, under its id.
    static func match(_ payload: UnsafeRawBufferPointer, count: Int, json: JSONParser) -> Bool {
        let root: JSONElement
        do throws(JSONError) { root = try json.parseMending(payload) } catch { return error == .tooDeep }
        var named = Set<Int64>()
        return collect(root, count: count, into: &named) && named.count == count
    }

    /// Recursion is bounded by the depth the parser allows.
    private static func collect(_ element: JSONElement, count: Int, into named: inout Set<Int64>) -> Bool {
        switch element.kind {
        case .array:
            return element.elements.allSatisfy { collect($0, count: count, into: &named) }
        case .object:
            if element["_placeholder"]?.bool == true {
                guard let number = element["num"]?.integer, (0..<Int64(count)).contains(number) else { return false }
                named.insert(number)
                return true
            }
            var isGood = true
            element.forEachMember { _, value in
                isGood = collect(value, count: count, into: &named)
                return isGood
            }
            return isGood
        default:
            return true
        }
    }
}
