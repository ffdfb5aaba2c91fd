import ChatDomain

/// Documents of messages and changes without what is to be erased.
extension BSONDocument {
    /// The fields of a message that are left. Fields of other programs are not: they may repeat the text.
    private static let fieldsOfStones = [
        "_id", "roomId", "seq", "messageType", "timestamp", "createdAt", "changeSeq", "replyCount", "lastReplySeq",
    ]
    private static let fieldsOfAnonymized =
        fieldsOfStones + [
            "replyTo", "mentions", "reactions", "editedAt", "deleted", "pinned", "appliesTo",
        ] + EventDestination.allCases.map(\.ownerField)

    private func keeping(_ names: [String]) -> BSONDocument {
        BSONDocument(fields: fields.filter { names.contains($0.name) })
    }

    /// The message without content.
    ///
    /// - Parameter author: takes the author's place; nil to leave the author.
    func stone(author: (id: UserID, name: String)? = nil) -> BSONDocument {
        var stone = keeping(Self.fieldsOfStones)
        if let author {
            (stone["userId"], stone["username"]) = (.string(author.id), .string(author.name))
        } else {
            for name in ["userId", "username", "clientMessageId"] { stone[name] = self[name] }
        }
        stone["message"] = ""
        stone["deleted"] = true
        return stone
    }

    /// The user's message under the neutral user.
    func anonymized(_ erased: ErasedUser) -> BSONDocument {
        var anonymized = keeping(Self.fieldsOfAnonymized)
        anonymized["userId"] = .string(erased.pseudonym)
        anonymized["username"] = .string(ErasedUser.username)
        let text = (self["message"]?.text ?? "").neutralized(erased)
        anonymized["message"] = .string(text)
        anonymized["words"] = .words(of: text)
        anonymized["mentions"] = self["mentions"]?.neutralized(erased)
        anonymized["reactions"] = self["reactions"]?.neutralized(erased)
        return anonymized
    }

    /// What a message of another user, or a change, has to say of the neutral user instead of the erased one.
    ///
    /// - Returns: an update; nil where it names the erased user nowhere.
    func neutralization(_ erased: ErasedUser) -> BSONDocument? {
        var set = BSONDocument()
        var unset = BSONDocument()
        if let text = self["message"]?.text {
            let neutral = text.neutralized(erased)
            if !neutral.hasSameBytes(as: text) {
                set["message"] = .string(neutral)
                set["words"] = .words(of: neutral)
            }
        }
        for name in ["mentions", "reactions"] {
            guard let value = self[name] else { continue }
            let neutral = value.neutralized(erased)
            if neutral != value { set[name] = neutral }
        }
        if let change = self["change"]?.document {
            if change["userId"].names(erased.user) {
                set["change.userId"] = .string(erased.pseudonym)
                set["change.username"] = .string(ErasedUser.username)
                for name in ["userId", "clientMessageId"] where self[name] != nil { unset[name] = "" }
                if erased.messages == .erase {
                    for name in ["message", "metadata", "metadataText"] where change[name] != nil {
                        unset["change." + name] = ""
                    }
                }
            }
            if change["successor"].names(erased.user) {
                set["change.successor"] = .string(erased.pseudonym)
            }
            if let mentions = change["mentions"], mentions.neutralized(erased) != mentions {
                set["change.mentions"] = mentions.neutralized(erased)
            }
        }
        guard !set.fields.isEmpty || !unset.fields.isEmpty else { return nil }
        var update = BSONDocument()
        if !set.fields.isEmpty { update["$set"] = .document(set) }
        if !unset.fields.isEmpty { update["$unset"] = .document(unset) }
        return update
    }
}

extension BSONValue? {
    /// Whether this is the user's id, in any form.
    func names(_ user: UserID) -> Bool { self?.identifier.map { UserID(unchecked: $0) == user } ?? false }
}

extension BSONValue {
    /// With the neutral user in place of the erased one, wherever a list of users names that.
    fileprivate func neutralized(_ erased: ErasedUser) -> BSONValue {
        switch self {
        case .array(let values): .array(values.map { $0.neutralized(erased) })
        case .document(let document):
            .document(
                BSONDocument(
                    fields: document.fields.map { field in
                        field.name == "userIds"
                            ? .init(name: field.name, value: field.value.neutralized(erased)) : field
                    }))
        default: Optional(self).names(erased.user) ? .string(erased.pseudonym) : self
        }
    }
}

extension String {
    /// Compared by bytes, as the server compares.
    fileprivate func neutralized(_ erased: ErasedUser) -> String {
        let (text, mention, neutral) = (Array(utf8), Array(erased.mention.utf8), Array(erased.neutralMention.utf8))
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            if rest.starts(with: mention) {
                result += neutral
                rest = rest.dropFirst(mention.count)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
