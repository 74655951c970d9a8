# docker build -t vigil .
# CPU only, without the CUDA libraries: docker build --build-arg TORCH_INDEX=<index> -t vigil .
FROM python:3.12-slim AS build
ARG TORCH_INDEX=""
WORKDIR /opt/vigil
RUN python -m venv /opt/venv
COPY constraints.txt constraints-gpu.txt pyproject.toml README.md ./
RUN /opt/venv/bin/pip install --no-cache-dir --quiet --require-hashes -r constraints.txt \
 && if [ -z "$TORCH_INDEX" ]; then \
      /opt/venv/bin/pip install --no-cache-dir --quiet --require-hashes -r constraints-gpu.txt; \
    else \
      /opt/venv/bin/pip install --no-cache-dir --quiet --index-url "$TORCH_INDEX" \
        $(sed -nE 's/^((torch|torchvision)==[0-9.]+).*/\1/p' constraints-gpu.txt); \
    fi
COPY contracts contracts
COPY ingest ingest
COPY vision vision
COPY moe_core moe_core
COPY alerts alerts
COPY api api
RUN /opt/venv/bin/pip install --no-cache-dir --quiet --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 vigil && install -d -o vigil -g vigil -m 700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1 VIGIL_DATA_DIR=/data VIGIL_API__HOST=0.0.0.0
USER vigil
VOLUME /data
EXPOSE 8480
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8480/healthz', timeout=2)"]
ENTRYPOINT ["vigil"]
CMD ["run"]
