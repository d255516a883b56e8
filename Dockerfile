FROM python:3.13-slim

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY proxy proxy
COPY translator translator
COPY clients clients
RUN pip install --no-cache-dir '.[mcp]'

RUN useradd --system --create-home litephant && mkdir /data && chown litephant /data
USER litephant
VOLUME /data
EXPOSE 45432

HEALTHCHECK --interval=10s --timeout=5s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:45480/readyz')"]

# Inside a container the address must be reachable from outside it; publish the port on 127.0.0.1, or set a password.
CMD ["litephant", "serve", "--host", "0.0.0.0", "--http", "127.0.0.1:45480", "--data", "/data"]
