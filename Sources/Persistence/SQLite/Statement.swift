import CSQLite
import ChatDomain

/// A prepared statement: `bind` every parameter (from 1), then `run`, `first` or `rows`.
struct Statement {
    private let handle: OpaquePointer
    /// Owns the handle, so it has to live as long as this is used.
    private let connection: SQLiteConnection

    init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    // MARK: Parameters

    @discardableResult
    func bind(_ index: Int32, _ value: Int64) throws(StoreError) -> Self {
        try check(sqlite3_bind_int64(handle, index, value))
    }

    @discardableResult
    func bind(_ index: Int32, _ value: Int64?) throws(StoreError) -> Self {
        guard let value else { return try check(sqlite3_bind_null(handle, index)) }
        return try bind(index, value)
    }

    @discardableResult
    func bind(_ index: Int32, _ text: String) throws(StoreError) -> Self {
        var text = text
        return try check(
            text.withUTF8 { bytes in
                guard let start = bytes.baseAddress else { return chat_bind_text(handle, index, "", 0) }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    chat_bind_text(handle, index, $0, Int32(clamping: bytes.count))
                }
            })
    }

    @discardableResult
    func bind(_ index: Int32, _ text: String?) throws(StoreError) -> Self {
        guard let text else { return try check(sqlite3_bind_null(handle, index)) }
        return try bind(index, text)
    }

    @discardableResult
    func bind(_ index: Int32, _ id: MessageID) throws(StoreError) -> Self {
        try check(
            withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) {
                chat_bind_blob(handle, index, $0.baseAddress, 12)
            })
    }

    @discardableResult
    func bind(_ index: Int32, _ bytes: [UInt8]) throws(StoreError) -> Self {
        try bytes.withUnsafeBufferPointer { (bytes) throws(StoreError) in
            try bind(index, bytes: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Binds UTF-8.
    @discardableResult
    func bind(_ index: Int32, text: UnsafeRawBufferPointer) throws(StoreError) -> Self {
        guard let start = text.baseAddress?.assumingMemoryBound(to: CChar.self) else { return try bind(index, "") }
        return try check(chat_bind_text(handle, index, start, Int32(clamping: text.count)))
    }

    @discardableResult
    func bind(_ index: Int32, bytes: UnsafeRawBufferPointer) throws(StoreError) -> Self {
        try check(chat_bind_blob(handle, index, bytes.baseAddress, Int32(clamping: bytes.count)))
    }

    /// Binds UTF-8 that stays where it is until the statement has run; SQLite makes no copy of it.
    @discardableResult
    func bind(_ index: Int32, lentText text: UnsafeRawBufferPointer) throws(StoreError) -> Self {
        let start = text.baseAddress?.assumingMemoryBound(to: CChar.self)
        return try check(sqlite3_bind_text(handle, index, start, Int32(clamping: text.count), nil))
    }

    /// Binds bytes that stay where they are until the statement has run; SQLite makes no copy of them.
    @discardableResult
    func bind(_ index: Int32, lentBytes bytes: UnsafeRawBufferPointer) throws(StoreError) -> Self {
        try check(sqlite3_bind_blob(handle, index, bytes.baseAddress, Int32(clamping: bytes.count), nil))
    }

    // MARK: Execution

    /// Runs a statement that answers with no rows.
    func run() throws(StoreError) {
        defer { reset() }
        while try step() {}
    }

    /// The first row, or nil when there is none.
    func first<Value>(_ read: (Row) -> Value) throws(StoreError) -> Value? {
        defer { reset() }
        return try step() ? read(Row(handle)) : nil
    }

    /// The results of `read` for every row, without the nils.
    func rows<Value>(_ read: (Row) -> Value?) throws(StoreError) -> [Value] {
        defer { reset() }
        var values: [Value] = []
        while try step() {
            if let value = read(Row(handle)) { values.append(value) }
        }
        return values
    }

    /// Reads rows as long as `read` wants another.
    func each(_ read: (Row) -> Bool) throws(StoreError) {
        defer { reset() }
        while try step(), read(Row(handle)) {}
    }

    private func reset() {
        sqlite3_reset(handle)
        withExtendedLifetime(connection) {}
    }

    private func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let result: throw failure(result)
        }
    }

    private func check(_ result: Int32) throws(StoreError) -> Self {
        guard result == SQLITE_OK else { throw failure(result) }
        return self
    }

    private func failure(_ result: Int32) -> StoreError {
        StoreError(sqlite: result, String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))))
    }
}

/// The present row of a statement. Columns count from 0.
struct Row {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// The text; empty for NULL.
    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// Bytes, valid until the statement goes on.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
    }

    /// A message id, kept as its 12 bytes.
    func messageID(_ column: Int32) -> MessageID {
        let start = sqlite3_column_blob(handle, column)
        guard let start, sqlite3_column_bytes(handle, column) == 12 else { return MessageID(high: 0, low: 0) }
        let bytes = UnsafeRawBufferPointer(start: start, count: 12)
        return MessageID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    }
}
