import ChatDomain
import Testing

@Suite struct FileValueTests {
    @Test(arguments: [
        ("a.png", "a.png"), ("../../etc/passwd", "passwd"), ("C:\\dir\\x.txt", "x.txt"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("x\u{202E}gnp.exe", "xgnp.exe"), ("a\u{0}b", "ab"), ("..", "file"), ("", "file"), ("/", "file"),
        (" .hidden ", "hidden"),
        ("日本語 é🙂.txt", "日本語 é🙂.txt"), ("\u{2028}\u{200F}", "file"), ("\u{FFFD}a", "a"), ("\u{E0001}a\u{10FFFF}", "a"),
    ])
    func namesAreMadeHarmless(_ given: String, _ name: String) {
        #expect(FileName.sanitized(given) == name)
        #expect(FileName.sanitized(name) == name, "a harmless name stays")
    }

    @Test func namesHaveABound() {
        #expect(FileName.sanitized(String(repeating: "a", count: 1000)).utf8.count == 128)
        let wide = FileName.sanitized(String(repeating: "🙂", count: 1000))
        #expect(wide.utf8.count == 252 && wide.unicodeScalars.count == 63)
    }

    @Test(arguments: [
        ("image/PNG", "image/png"), (" text/plain ; charset=utf-8", "text/plain"), ("image/svg+xml", "image/svg+xml"),
        ("text", MediaType.unknown), ("text/html\r\nX: y", MediaType.unknown), ("a/b/c", MediaType.unknown),
        ("/", MediaType.unknown),
        ("a/" + String(repeating: "b", count: 200), MediaType.unknown), ("a/b<c", MediaType.unknown),
        ("é/a", MediaType.unknown),
    ])
    func typesAreMadeHarmless(_ given: String, _ type: String) { #expect(MediaType.sanitized(given) == type) }

    @Test func onlyImagesOfKnownTypesAreShown() {
        #expect(ImageFormat.isShown("image/png") && ImageFormat.isShown("image/webp"))
        #expect(!ImageFormat.isShown("image/svg+xml") && !ImageFormat.isShown("text/html"))
        #expect(MediaType.sanitized(nil) == MediaType.unknown)
    }

    @Test func idsAreThirtyTwoDigits() {
        let digits = "0123456789abcdef0123456789abcdef"
        #expect(FileID(digits)?.text == digits)
        for text in [
            "", String(digits.dropLast()), digits + "0", digits.uppercased(), "../../../../../../../../../../ab",
        ] {
            #expect(FileID(text) == nil)
        }
    }

    @Test func aUserHasAQuota() {
        let start = Moment(milliseconds: 1000)
        var quota = UploadQuota(at: start)
        for _ in 0..<UploadQuota.maximumConcurrent { #expect(quota.begin(at: start) == nil) }
        #expect(quota.begin(at: start) == .seconds(1))
        for _ in UploadQuota.maximumConcurrent..<UploadQuota.maximumPerHour {
            quota.end()
            #expect(quota.begin(at: start) == nil)
        }
        quota.end()
        #expect(quota.begin(at: start + .seconds(600)) == .seconds(3000))
        #expect(quota.begin(at: start + .seconds(3600)) == nil)
        #expect(!quota.isSpare(at: start + .seconds(9000)), "uploads are under way")
        for _ in 0..<20 { quota.end() }
        #expect(quota.isSpare(at: start + .seconds(9000)) && !quota.isSpare(at: start + .seconds(3601)))
    }
}
