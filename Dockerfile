# gpudrift in a container. Counting on the CPU needs nothing else; libvulkan1 is there for a GPU, whose driver the host
# brings along (NVIDIA: docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all).
#
#   docker build -t gpudrift .
#   docker run --rm -v /srv/features:/data:ro -v drift-history:/var/lib/gpudrift -v $PWD/gpudrift.toml:/etc/gpudrift.toml:ro \
#       gpudrift scan --config /etc/gpudrift.toml
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY shaders shaders
COPY templates templates
COPY assets assets
COPY benches benches
RUN cargo build --release --locked --bin gpudrift

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* && useradd --system --uid 10001 --home-dir /var/lib/gpudrift --create-home gpudrift
COPY --from=build /src/target/release/gpudrift /usr/local/bin/gpudrift
USER gpudrift
WORKDIR /var/lib/gpudrift
ENV XDG_CACHE_HOME=/var/lib/gpudrift/cache
ENTRYPOINT ["gpudrift"]
CMD ["--help"]
