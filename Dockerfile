# syntax=docker/dockerfile:1

FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY scripts/packages scripts/build-release scripts/
RUN scripts/packages --install build image
COPY Package.swift ./
COPY Sources Sources
# The manifest names the tests' targets too; none of them is built.
COPY Tests Tests
RUN --mount=type=cache,target=/src/.build \
    install -D "$(scripts/build-release)" /out/chat-service
COPY client-example client-example
COPY admin-page admin-page
COPY sdk/js sdk/js
COPY scripts/image-root scripts/image-root
# The image has no distribution: only the program, its libraries, certificates and the pages. A larger one fails here.
RUN scripts/image-root --limit 60 /out/chat-service /out/root && install -d -m 0700 /out/data/data

FROM scratch
COPY --from=build /out/root /
COPY --from=build --chown=10001:10001 /out/data /
USER 10001:10001
# The only place it writes to; the rest of the image may be mounted read-only.
VOLUME /data
WORKDIR /data
# The MongoDB driver's counters, which nothing reads, stay out of shared memory.
ENV PATH=/usr/local/bin MONGOC_DISABLE_SHM=1
ENV HOST=0.0.0.0 PORT=5004 DATA_DIR=/data CLIENT_DIR=/srv/chat/client-example ADMIN_DIR=/srv/chat/admin-page LOG_FORMAT=json
EXPOSE 5004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=6s --start-period=10s --retries=3 CMD ["chat-service", "healthcheck"]
ENTRYPOINT ["chat-service"]
CMD ["serve"]
