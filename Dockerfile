# The service without the embedded database: it needs a DATABASE_URL. The tests also run the scripts in docker/.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1
WORKDIR /srv/chatstore
COPY requirements.txt docker/install.sh ./
RUN ./install.sh /venv

FROM python:3.13-slim
RUN useradd --system --no-create-home chatstore
WORKDIR /srv/chatstore
COPY --from=build /venv /venv
COPY . .
RUN docker/collect.sh /venv
USER chatstore
ENV HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --start-period=30s --interval=10s CMD ["/venv/bin/python", "docker/health.py"]
CMD ["docker/start.sh", "/venv"]
