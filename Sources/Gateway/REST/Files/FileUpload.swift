import ChatCore
import ChatDomain
import ChatProtocol
import Crypto
import JSON
import Telemetry
import WireProtocols

/// One upload: takes the bytes of a body, or of the one file in a form, into the store, and finds out what they are meanwhile.
actor FileUpload: RequestBodyReader {
    /// Bytes that a form may have beside its file.
    private static let maximumFormBytes = 64 * 1024

    /// Bytes of a request's body at most.
    static func maximumBodyBytes(_ files: RoomFiles, contentType: String?) -> Int {
        let form = MultipartParser.isMultipart(contentType) ? Int64(maximumFormBytes) : 0
        return Int(clamping: files.maximumBytes.addingReportingOverflow(form).partialValue)
    }

    private enum Stage { case content, finished, ended }

    private let files: RoomFiles
    private let writer: any FileWriter
    private let now: @Sendable () -> Timestamp
    /// Everything that is known before the content; the rest is filled in at the end.
    private var file: StoredFile
    /// Whether the upload counts against its user's quota.
    private let isCounted: Bool
    /// nil where the body is the content.
    private var form: MultipartParser?
    private var formFile = FormFile.awaited
    private let digest = StreamedSHA256()
    private var image = ImageHeaderReader()
    private var stage = Stage.content

    /// Where a form is: one of its parts is the file.
    private enum FormFile { case awaited, present, past, otherField }

    /// - Parameters:
    ///   - file: with the id under which the writer writes, and the name and type that the request gave.
    ///   - form: reads a form; nil where the body is the content.
    init(
        _ file: StoredFile, isCounted: Bool, form: MultipartParser?, writer: any FileWriter, files: RoomFiles,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.file = file
        self.isCounted = isCounted
        self.form = form
        self.writer = writer
        self.files = files
        self.now = now
    }

    func receive(_ part: [UInt8]) async throws(ChatError) {
        guard form != nil else { return try await take(part) }
        do throws(HTTPRefusal) {
            for event in try form?.receive(part) ?? [] {
                switch event {
                case .part(let part): begin(part)
                case .content(let bytes): if formFile == .present { pending.append(bytes) }
                case .partEnd: formFile = formFile == .present ? .past : formFile == .otherField ? .awaited : formFile
                }
            }
        } catch {
            throw .badRequest(error.detail)
        }
        let content = pending
        pending = []
        for bytes in content { try await take(bytes) }
    }

    /// Content of a form's file that was read and not taken yet.
    private var pending: [[UInt8]] = []

    /// The first part with a file's name, or called `file`, is the file; the form's other fields are passed over.
    private func begin(_ part: MultipartPart) {
        guard formFile == .awaited else { return }
        guard part.fileName != nil || part.name == "file" else { return formFile = .otherField }
        formFile = .present
        if let name = part.fileName, file.name.isEmpty { file.name = FileName.sanitized(name) }
        file.contentType = MediaType.sanitized(part.contentType)
    }

    private func take(_ bytes: [UInt8]) async throws(ChatError) {
        let (size, overflow) = file.size.addingReportingOverflow(Int64(bytes.count))
        guard !overflow, size <= files.maximumBytes else {
            throw ChatError(.payloadTooLarge, "a file may have \(files.maximumBytes) bytes")
        }
        file.size = size
        digest.update(bytes)
        image.receive(bytes)
        files.metrics.uploadedBytes.add(bytes.count)
        try await files.call { [writer] (_) async throws(StoreError) in try await writer.append(bytes) }
    }

    func finish() async throws(ChatError) -> HTTPResponse {
        if let form {
            guard form.isComplete else { throw .badRequest("the form was cut off") }
            guard formFile == .past else { throw .badRequest("the form has no file") }
        }
        guard file.size > 0 else { throw .badRequest("the file is empty") }
        if file.name.isEmpty { file.name = FileName.fallback }
        file.sha256 = HexText.encoded(digest.finish())
        describe(image.finalFinding)
        file.uploadedAt = now()
        let link = FileLink(key: try await files.signingKey())
        try await files.call { [writer, file] (_) async throws(StoreError) in try await writer.finish(file) }
        stage = .finished
        files.metrics.uploads.add()
        if isCounted { files.endUpload(by: file.owner) }
        return .json(Self.answer(file, address: link.address(of: file, at: file.uploadedAt)), status: 201)
    }

    /// The bytes decide whether it is an image. A type that says otherwise is not believed.
    private func describe(_ finding: ImageHeaderReader.Finding) {
        if case .image(let format, let dimensions) = finding {
            file.contentType = format.rawValue
            file.dimensions = dimensions
        } else if ImageFormat.isShown(file.contentType) {
            file.contentType = MediaType.unknown
        }
    }

    func abandon() async {
        switch stage {
        case .content:
            stage = .ended
            if isCounted { files.endUpload(by: file.owner) }
            await writer.abandon()
        case .finished:
            // The client went before the answer and does not know the file's id.
            stage = .ended
            await files.remove([file.id])
        case .ended: break
        }
    }

    private static func answer(_ file: StoredFile, address: String) -> [UInt8] {
        EventJSON.success { out in
            out.member("url", address)
            out.describe(file)
        }
    }
}
