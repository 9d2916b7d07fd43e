# syntax=docker/dockerfile:1

# Builds a small image: the binary, the default configuration, CA certificates, and no shell.
#
#   docker build -t switchboard .
#   docker run -p 8080:8080 -v switchboard:/var/lib/switchboard \
#     -v ./config.toml:/etc/switchboard/config.toml:ro switchboard
#
# In a container the daemon listens to other machines. The default file's demo secrets are refused then: mount a file of
# your own, or set SWITCHBOARD__TOKENS__0__SECRET and so on.

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin switchboard \
    && install -D target/release/switchboard /out/switchboard \
    && mkdir /out/data

# Has glibc, libgcc and CA certificates.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /out/switchboard /usr/local/bin/switchboard
COPY --from=build --chown=nonroot:nonroot /out/data /var/lib/switchboard
COPY config.toml /etc/switchboard/config.toml

ENV SWITCHBOARD__SERVER__LISTEN=0.0.0.0:8080 \
    SWITCHBOARD__STORE__PATH=/var/lib/switchboard/data
# By its number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/switchboard
VOLUME /var/lib/switchboard
EXPOSE 8080
# Longer than server.shutdown_grace is what `docker stop --time` should be.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/switchboard", "--config", "/etc/switchboard/config.toml", "doctor", "--url", "http://127.0.0.1:8080"]
ENTRYPOINT ["/usr/local/bin/switchboard", "--config", "/etc/switchboard/config.toml"]
CMD ["serve"]
