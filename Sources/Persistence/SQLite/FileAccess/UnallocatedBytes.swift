/// The part of a database page that holds no cell.
///
/// SQLite overwrites cells that it frees, but not cells that it moves to another page when it balances a tree. The old page keeps a copy
/// of them in its unallocated region: between the array of cell pointers and the first cell (SQLite's "Database File Format", 1.6).
enum UnallocatedBytes {
    /// Bytes of the file's header, which is on its first page.
    private static let fileHeader = 100

    /// - Parameter isFirst: whether this is the first page of its file.
    /// - Returns: nil where the page is not of a tree, or has no such region.
    static func range(in page: UnsafeRawBufferPointer, isFirst: Bool) -> Range<Int>? {
        let header = isFirst ? fileHeader : 0
        guard page.count >= 512, let headerSize = size(ofHeader: page[header]) else { return nil }
        let start = header + headerSize + 2 * number(in: page, at: header + 3)
        let firstCell = number(in: page, at: header + 5)
        let end = firstCell == 0 ? 65_536 : firstCell
        return start < end && end <= page.count ? start..<end : nil
    }

    /// Only pages of trees begin with these numbers. Other pages begin with the number of a page, whose first byte is 0 or 1 in files of
    /// less than 2²⁵ pages.
    private static func size(ofHeader kind: UInt8) -> Int? {
        switch kind {
        case 2, 5: 12
        case 10, 13: 8
        default: nil
        }
    }

    private static func number(in page: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(page[offset]) << 8 | Int(page[offset + 1])
    }
}
