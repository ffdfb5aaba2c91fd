# syntax=docker/dockerfile:1

FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY scripts/packages scripts/packages
RUN scripts/packages --install build
COPY Package.swift ./
COPY Sources Sources
# The manifest names the tests' targets too; none of them is built.
COPY Tests Tests
RUN --mount=type=cache,target=/src/.build \
    swift build --configuration release --product chat-service --static-swift-stdlib \
    && install -D "$(swift build --configuration release --show-bin-path)/chat-service" /out/chat-service

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates libuv1 libssl3 libsqlite3-0 zlib1g libhiredis0.14 libmongoc-1.0-0 librabbitmq4 libsimdjson14 libstdc++6 libcurl4 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home chat \
    && install -d -o chat -g chat /data
COPY --from=build /out/chat-service /usr/local/bin/chat-service
COPY client-example /srv/chat/client-example
COPY admin-page /srv/chat/admin-page
USER 10001:10001
# The only place it writes to; the rest of the image may be mounted read-only.
VOLUME /data
WORKDIR /data
# The MongoDB driver's counters, which nobody reads, stay out of shared memory.
ENV MONGOC_DISABLE_SHM=1
ENV HOST=0.0.0.0 PORT=5004 DATA_DIR=/data CLIENT_DIR=/srv/chat/client-example ADMIN_DIR=/srv/chat/admin-page LOG_FORMAT=json
EXPOSE 5004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=6s --start-period=10s --retries=3 CMD ["chat-service", "healthcheck"]
ENTRYPOINT ["chat-service"]
CMD ["serve"]
