# PostgreSQL with the extension, for those who have an engine for containers.
#
#   docker build -t confiture .
#   docker run -e POSTGRES_PASSWORD=… -v keys:/var/lib/confiture confiture
#
# Continuous integration has no engine, so this file is held against the project by a test
# (test_package.py), and not built there.
ARG POSTGRES=15
ARG DEBIAN=bookworm

FROM rust:1.95-${DEBIAN} AS build
ARG POSTGRES
# The same packages of PostgreSQL as in the image below.
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-common clang libclang-dev dpkg-dev python3 sudo \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
 && apt-get install -y --no-install-recommends postgresql-${POSTGRES} postgresql-client-${POSTGRES} postgresql-server-dev-${POSTGRES} \
 && rm -rf /var/lib/apt/lists/*
ENV PG_CONFIG=/usr/lib/postgresql/${POSTGRES}/bin/pg_config
WORKDIR /source
COPY . .
RUN make setup && make package

FROM postgres:${POSTGRES}-${DEBIAN}
COPY --from=build /source/target/package/*.deb /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/*.deb \
 && rm -rf /tmp/*.deb /var/lib/apt/lists/* \
 && install -d -o postgres -g postgres -m 700 /var/lib/confiture
# The file that keys are wrapped with: a volume of its own, beside and never inside that of the data.
VOLUME /var/lib/confiture
CMD ["postgres", "-c", "confiture.key_file=/var/lib/confiture/confiture.key"]
