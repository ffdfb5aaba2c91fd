/// A set that most often has a single member, which then costs no allocation.
///
/// Inlinable, because other modules use it for every message.
@frozen
public enum SmallSet<Element: Hashable & Sendable>: Sendable, Hashable {
    case none
    case one(Element)
    case many(Set<Element>)

    @inlinable
    public init() { self = .none }

    @inlinable
    public var count: Int {
        switch self {
        case .none: 0
        case .one: 1
        case .many(let all): all.count
        }
    }

    @inlinable
    public var isEmpty: Bool { count == 0 }

    @inlinable
    public func contains(_ element: Element) -> Bool {
        switch self {
        case .none: false
        case .one(let only): only == element
        case .many(let all): all.contains(element)
        }
    }

    /// Whether it was not a member before.
    @inlinable
    @discardableResult
    public mutating func insert(_ element: Element) -> Bool {
        switch self {
        case .none:
            self = .one(element)
            return true
        case .one(let only):
            guard only != element else { return false }
            self = .many([only, element])
            return true
        case .many(var all):
            // Let go of first, so that the set is changed in place.
            self = .none
            let isNew = all.insert(element).inserted
            self = .many(all)
            return isNew
        }
    }

    /// The member that was equal to `element`; nil where there was none.
    @inlinable
    @discardableResult
    public mutating func remove(_ element: Element) -> Element? {
        switch self {
        case .none: return nil
        case .one(let only):
            guard only == element else { return nil }
            self = .none
            return only
        case .many(var all):
            self = .none
            let removed = all.remove(element)
            if all.count == 1, let last = all.first { self = .one(last) } else { self = .many(all) }
            return removed
        }
    }
}

extension SmallSet: Sequence {
    /// Allocates nothing.
    @frozen
    public enum Iterator: IteratorProtocol {
        case done
        case one(Element)
        case many(Set<Element>.Iterator)

        @inlinable
        public mutating func next() -> Element? {
            switch self {
            case .done: return nil
            case .one(let only):
                self = .done
                return only
            case .many(var rest):
                self = .done
                let element = rest.next()
                if element != nil { self = .many(rest) }
                return element
            }
        }
    }

    @inlinable
    public func makeIterator() -> Iterator {
        switch self {
        case .none: .done
        case .one(let only): .one(only)
        case .many(let all): .many(all.makeIterator())
        }
    }
}
