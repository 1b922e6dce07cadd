# Build: docker build -t pf-exporter .
# See:   docker run --rm -p 127.0.0.1:10054:10054 pf-exporter demo --web.listen-address 0.0.0.0:10054
# Run:   docker run --rm -p 127.0.0.1:10054:10054 -e PF_TOKEN_FILE=/run/secrets/packetfabric/token \
#          -v /etc/pf-exporter/token:/run/secrets/packetfabric/token:ro pf-exporter
#        with a key that user 10001 may read: sudo install -D -o 10001 -m 0400 pf_token /etc/pf-exporter/token

FROM python:3.12-slim-bookworm AS build
WORKDIR /source
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/pf-exporter \
    && /opt/pf-exporter/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes \
       -r requirements.txt -r requirements-build.txt
COPY setup.py setup.cfg pyproject.toml README.md LICENSE jsonnetfile.json mixin.libsonnet ./
COPY pf_exporter pf_exporter
COPY prometheus prometheus
COPY grafana grafana
COPY deploy/man deploy/man
COPY deploy/completion deploy/completion
# Fetches nothing. pip and setuptools are removed, because they are not needed later.
RUN /opt/pf-exporter/bin/pip install --no-cache-dir --no-compile --no-index --no-build-isolation --no-deps . \
    && /opt/pf-exporter/bin/python -m compileall -q /opt/pf-exporter/lib \
    && /opt/pf-exporter/bin/pip uninstall --yes --quiet setuptools pip

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="pf_exporter" \
      org.opencontainers.image.description="Prometheus exporter for PacketFabric's Streaming Events API" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/pf-exporter /opt/pf-exporter
# The commit, for --version and packetfabric_exporter_build_info: --build-arg REVISION=$(git rev-parse HEAD)
ARG REVISION=""
LABEL org.opencontainers.image.revision=$REVISION
# One malloc arena for all threads: several fragment, which takes 8 MiB and more.
ENV PATH=/opt/pf-exporter/bin:$PATH PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=1 PF_EXPORTER_REVISION=$REVISION
USER 10001:10001
EXPOSE 10054
# The check does not see flags: set PF_EXPORTER_CONFIG_FILE and PF_EXPORTER_WEB_CONFIG_FILE instead of
# --config.file and --web.config.file.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["pf-exporter", "health"]
ENTRYPOINT ["pf-exporter"]
