import ChatCore
import ChatDomain
import ChatProtocol
import Crypto
import Telemetry
import WireProtocols

/// Uploading and downloading the files of rooms.
enum FileRoutes {
    /// An older room of the same id has its files no longer; clocks of instances differ by less than this.
    private static let clockTolerance: Int64 = 60_000

    // MARK: Uploading

    @Sendable
    static func upload(_ services: Services, _ request: RESTRequest) async throws(ChatError) -> any RequestBodyReader {
        let files = try files(of: services)
        let (caller, user) = (try request.caller(), try request.user())
        let info = try await RoomAccess(services: services).info(request.roomID, by: caller)
        if let refusal = info.authority.refusalOfMessage(by: user.userID, in: info.room) { throw refusal }
        let contentType = request.header("Content-Type")
        let form = try form(contentType)
        let name = request.query("name").map(FileName.sanitized) ?? ""
        let id = try newID()
        if !caller.isService { try files.beginUpload(by: user.userID) }
        do throws(ChatError) {
            let writer = try await files.call { (store) async throws(StoreError) in try await store.create(id) }
            let now = services.clock.now.wall
            let file = StoredFile(
                id: id, roomID: request.roomID, owner: user.userID, name: name,
                contentType: MediaType.sanitized(contentType), size: 0, sha256: "", uploadedAt: now)
            return FileUpload(
                file, isCounted: !caller.isService, form: form, writer: writer, files: files,
                now: { services.clock.now.wall })
        } catch {
            if !caller.isService { files.endUpload(by: user.userID) }
            throw error
        }
    }

    private static func form(_ contentType: String?) throws(ChatError) -> MultipartParser? {
        guard let contentType, MultipartParser.isMultipart(contentType) else { return nil }
        do throws(HTTPRefusal) { return try MultipartParser(contentType: contentType) } catch {
            throw .badRequest(error.detail)
        }
    }

    private static func newID() throws(ChatError) -> FileID {
        guard let id = FileID(RandomID.make().text) else { throw .storageUnavailable }
        return id
    }

    // MARK: Downloading

    @Sendable
    static func download(_ services: Services, _ request: RESTRequest) async throws(ChatError) -> RESTAnswer {
        let files = try files(of: services)
        let expires = try request.integer("expires", in: FileLink.times)
        guard let id = request.fileID,
            let file = try await files.call({ (store) async throws(StoreError) in try await store.file(id) })
        else { throw .noFile }
        var isSigned = false
        if let expires, let signature = request.query("signature") {
            isSigned = FileLink(key: try await files.signingKey())
                .isValid(signature, for: id, expires: expires, at: services.clock.now.wall)
        }
        try await checkRoom(of: file, services, request, isSigned: isSigned)
        return answer(file, files, request)
    }

    /// A signature stands for the right of the file's owner to read the room, as long as the owner has it.
    private static func checkRoom(
        of file: StoredFile, _ services: Services, _ request: RESTRequest, isSigned: Bool
    ) async throws(ChatError) {
        let owner = RoomUser(userID: file.owner, username: file.owner.value)
        let caller = isSigned ? Caller(user: owner) : try request.caller()
        let info = try await RoomAccess(services: services).info(file.roomID, by: caller)
        let age = info.room.createdAt.milliseconds - file.uploadedAt.milliseconds
        guard age <= clockTolerance else { throw .noFile }
    }

    private static func answer(_ file: StoredFile, _ files: RoomFiles, _ request: RESTRequest) -> RESTAnswer {
        let tag = "\"\(file.sha256)\""
        var response = HTTPResponse(status: 200, fields: fields(of: file, tag))
        if HTTPEntityTag.matches(request.header("If-None-Match"), tag) {
            response.status = 304
            return .whole(response)
        }
        let isOutdated = request.header("If-Range").map { $0 != tag } ?? false
        // A range is of the answer to GET only (RFC 9110 section 14.2).
        let wanted = HTTPRange(isOutdated || request.isHead ? nil : request.header("Range"), size: file.size)
        var range = 0..<file.size
        switch wanted {
        case .whole: break
        case .part(let part):
            range = part
            response.status = 206
        case .unsatisfiable:
            response = Problem.response(ChatError(.badRequest, "the file has \(file.size) bytes"))
            response.status = 416
        }
        if let text = wanted.contentRange(size: file.size) { response.fields.append(HTTPField("Content-Range", text)) }
        guard response.status != 416 else { return .whole(response) }
        if !request.isHead { files.metrics.downloads.add() }
        return .download(response, range) { [id = file.id] offset, limit in
            let bytes = try? await files.call { (store) async throws(StoreError) in
                try await store.read(id, from: offset, limit: limit)
            }
            files.metrics.downloadedBytes.add(bytes?.count ?? 0)
            return bytes
        }
    }

    private static func fields(of file: StoredFile, _ tag: String) -> [HTTPField] {
        let disposition = ImageFormat.isShown(file.contentType) ? "inline" : "attachment"
        return [
            HTTPField("Content-Type", file.contentType), HTTPField("ETag", tag), HTTPField("Accept-Ranges", "bytes"),
            // A file that was removed must not be shown from a cache.
            HTTPField("Cache-Control", "private, no-cache"),
            HTTPField("Content-Disposition", "\(disposition); filename*=UTF-8''\(URLText.encoded(file.name))"),
            HTTPField("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ]
    }

    private static func files(of services: Services) throws(ChatError) -> RoomFiles {
        guard let files = services.files else { throw ChatError(.notFound, "this server keeps no files") }
        return files
    }
}

extension ChatError {
    fileprivate static let noFile = Self(.notFound, "there is no such file")
}
