import Testing

@testable import WireProtocols

@Suite("multipart/form-data")
struct MultipartParserTests {
    private static let form = "multipart/form-data; boundary=XX"

    /// The events of a body, with contents that follow each other joined; nil when it is refused.
    private func parse(_ body: String, type: String = Self.form, cutAt cuts: [Int] = []) -> [MultipartParser.Event]? {
        guard var parser = try? MultipartParser(contentType: type) else { return nil }
        let bytes = Array(body.utf8)
        var events: [MultipartParser.Event] = []
        let ends = cuts + [bytes.count]
        for (start, end) in zip([0] + cuts, ends) where start < end {
            guard let found = try? parser.receive(bytes[start..<end]) else { return nil }
            for event in found {
                if case .content(let bytes) = event, case .content(let before)? = events.last {
                    events[events.count - 1] = .content(before + bytes)
                } else {
                    events.append(event)
                }
            }
        }
        return parser.isComplete ? events : nil
    }

    private func content(_ text: String) -> MultipartParser.Event { .content(Array(text.utf8)) }

    @Test("Parts are read, however the body is cut")
    func parts() {
        let body = """
            preamble\r
            --XX\r
            Content-Disposition: form-data; name="note"\r
            \r
            hi\r
            --XX \t\r
            content-disposition: form-data; name=file; filename="a \\"b\\" %22c%22.png"\r
            Content-Type: image/png\r
            \r
            one\r
            --X\r
            --XY two\r
            \r
            --XX--\r
            epilogue
            """
        let expected: [MultipartParser.Event] = [
            .part(MultipartPart(name: "note", fileName: nil, contentType: nil)), content("hi"), .partEnd,
            .part(MultipartPart(name: "file", fileName: "a \"b\" \"c\".png", contentType: "image/png")),
            content("one\r\n--X\r\n--XY two\r\n"), .partEnd,
        ]
        // "--XY" begins as the delimiter does not: the boundary is "XX".
        #expect(parse(body) == expected)
        for cut in 1..<body.utf8.count { #expect(parse(body, cutAt: [cut]) == expected, "cut at \(cut)") }
        #expect(parse(body, cutAt: Array(1..<body.utf8.count)) == expected, "byte by byte")
    }

    @Test("A part may be empty, and a body may begin with its delimiter")
    func empty() {
        let part = MultipartParser.Event.part(MultipartPart(name: "f", fileName: "", contentType: nil))
        let head = "--XX\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\n"
        #expect(parse(head + "\r\n--XX--") == [part, .partEnd])
        #expect(parse("--XX--") == [])
    }

    @Test(
        "A body that is no form, or is cut off, is refused",
        arguments: [
            "", "--XX", "--XX\r\nContent-Disposition: form-data\r\n\r\nabc", "--XXabc\r\n\r\n",
            "--XX\r\n\r\nx\r\n--XX--",
            "--XX\r\nContent-Disposition: attachment\r\n\r\nx\r\n--XX--", "--XX\r\nno colon\r\n\r\nx\r\n--XX--",
        ])
    func refused(_ body: String) { #expect(parse(body) == nil) }

    @Test("Heads, parts and the text before them have bounds")
    func bounds() {
        let long = String(repeating: "x", count: MultipartParser.maximumHeadBytes + 1)
        #expect(parse(long) == nil)
        #expect(parse("--XX\r\nContent-Disposition: form-data; name=\(long)\r\n\r\nx\r\n--XX--") == nil)
        #expect(parse("--XX\r\nX: \(long)") == nil)
        #expect(parse("--XX" + long.replacing("x", with: " ")) == nil)
        let part = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
        let most = String(repeating: part, count: MultipartParser.maximumParts)
        #expect(parse(most + "--XX--")?.count == 2 * MultipartParser.maximumParts)
        #expect(parse(most + part + "--XX--") == nil)
    }

    @Test("The content of a part is not held")
    func memory() throws {
        var parser = try MultipartParser(contentType: Self.form)
        _ = try parser.receive(Array("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n".utf8))
        let piece = [UInt8](repeating: 13, count: 1000)
        for _ in 0..<100 {
            let given = try parser.receive(piece).reduce(0) { sum, event in
                if case .content(let bytes) = event { sum + bytes.count } else { sum }
            }
            #expect(given >= piece.count - 8)
        }
    }

    @Test(
        "A type without a usable boundary is refused",
        arguments: [
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a", "text/plain",
            "multipart/form-data; boundary=\"a\u{7F}\"",
            "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
        ])
    func types(_ type: String) { #expect(parse("--a--", type: type) == nil) }

    @Test("Parameters may be quoted, and their names have no case")
    func parameters() {
        #expect(parse("--a b--", type: "Multipart/Form-Data; charset=x;BOUNDARY=\"a b\"; x") == [])
        let header = HeaderParameters("form-data; ; name; =x; filename=\"C:\\dir\\x;y.png\"; name=\"z")
        #expect(header["filename"] == "C:\\dir\\x;y.png" && header["name"] == "z")
    }
}
