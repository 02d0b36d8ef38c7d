# syntax=docker/dockerfile:1
# Mien on a processor. docs/deploy.md says how to run it; Dockerfile.cuda is the same for a GPU.
#
#   docker build -t mien .                                          without networks: mien packs install open
#   docker build -t mien --target baked --build-arg PACKS=open .    with networks, in /opt/mien/packs

ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS wheels
ARG EXTRAS=server,convert,heic,postgres,scale,evaluate,tracing
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY examples/photos examples/photos
COPY src src
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --disable-pip-version-check --wheel-dir /wheels ".[${EXTRAS}]"

FROM python:${PYTHON} AS runtime
ARG EXTRAS=server,convert,heic,postgres,scale,evaluate,tracing
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --disable-pip-version-check --no-cache-dir --no-index --find-links=/wheels "mien[${EXTRAS}]" \
    && groupadd --gid 10001 mien \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin mien \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
# Everything that is kept is in /data; /tmp is the only other place that is written to.
ENV MIEN_HOME=/data \
    MIEN_SERVER_HOST=0.0.0.0 \
    MIEN_SERVER_PORT=8000 \
    MPLCONFIGDIR=/tmp \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client, os; line = http.client.HTTPConnection('127.0.0.1', int(os.environ['MIEN_SERVER_PORT']), timeout=4); line.request('GET', '/v1/health/ready'); raise SystemExit(line.getresponse().status != 200)"]
ENTRYPOINT ["mien"]
CMD ["serve"]

# Networks are fetched and converted while the image is made, so that nothing has to be fetched later.
FROM runtime AS packs
ARG PACKS=open
ARG MIRROR=
ENV MIEN_HOME=/tmp/mien MIEN_MIRROR=${MIRROR}
RUN mien packs install ${PACKS}

FROM runtime AS baked
COPY --from=packs --chown=0:0 /tmp/mien/packs /opt/mien/packs

FROM runtime AS server
