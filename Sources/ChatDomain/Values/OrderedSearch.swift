extension RandomAccessCollection where Index == Int {
    /// The first index in this ordered list whose element, and all behind it, are not before what is looked for; the end where
    /// there is none.
    ///
    /// - Parameter isBefore: true for the first elements of the list, false for all that follow.
    @inlinable
    public func firstIndex(notBefore isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
