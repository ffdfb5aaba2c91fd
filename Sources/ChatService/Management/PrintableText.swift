extension String {
    /// The text for a terminal: control characters, which users may have sent, are written as escapes.
    var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            if scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format {
                text += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Rows under headings, in columns as wide as they need to be.
struct TextTable {
    private var rows: [[String]]

    init(_ headings: String...) { rows = [headings] }

    mutating func add(_ cells: String...) { rows.append(cells.map(\.printable)) }

    var text: String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? $0[column].unicodeScalars.count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                guard column + 1 < row.count else { break }
                line += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count + 2)
            }
            return line
        }.joined(separator: "\n")
    }
}
