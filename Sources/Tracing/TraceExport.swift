import ChatDomain
import JSON

/// The body of a request that exports spans: OTLP 1.x over HTTP, in JSON (`ExportTraceServiceRequest`).
enum TraceExport {
    /// The value of `Status.code` for a failed span.
    private static let failed = 2

    static func encode(_ spans: [Span], of resource: [Span.Attribute], version: String) -> [UInt8] {
        var out = JSONWriter()
        out.object { out in
            out.key("resourceSpans")
            out.array(CollectionOfOne(resource)) { out, resource in
                out.object { out in
                    out.key("resource")
                    out.object { $0.write(resource) }
                    out.key("scopeSpans")
                    out.array(CollectionOfOne(spans)) { out, spans in
                        out.object { out in
                            out.key("scope")
                            out.object { out in
                                out.member("name", "chat-service")
                                out.member("version", version)
                            }
                            out.key("spans")
                            out.array(spans) { $0.write($1) }
                        }
                    }
                }
            }
        }
        return out.bytes
    }

    fileprivate static func write(_ span: Span, to out: inout JSONWriter) {
        out.object { out in
            out.member("traceId", span.trace.hex)
            out.member("spanId", TraceContext.TraceID.hex(span.id))
            if let parent = span.parent { out.member("parentSpanId", TraceContext.TraceID.hex(parent)) }
            out.member("name", span.name)
            out.member("kind", span.kind.rawValue)
            // 64-bit numbers are strings in JSON of Protocol Buffers.
            out.member("startTimeUnixNano", "\(span.start)000")
            out.member("endTimeUnixNano", "\(span.end)000")
            out.write(span.attributes)
            guard let failure = span.failure else { return }
            out.key("status")
            out.object { out in
                out.member("code", failed)
                out.member("message", failure)
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ span: Span) { TraceExport.write(span, to: &self) }

    fileprivate mutating func write(_ attributes: [Span.Attribute]) {
        key("attributes")
        array(attributes) { out, attribute in
            out.object { out in
                out.member("key", attribute.name)
                out.key("value")
                out.object { $0.member("stringValue", attribute.value) }
            }
        }
    }
}
