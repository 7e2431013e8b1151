# One image for web and commands: docker/build.sh installs, docker/start.sh serves. It needs a DATABASE_URL.
FROM python:3.13-slim AS build
WORKDIR /srv/chatstore
COPY docker/build.sh requirements.txt ./
