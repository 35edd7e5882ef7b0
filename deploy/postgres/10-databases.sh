#!/bin/bash
# For each service a database that is closed to everybody else, and its roles: the owner of the tables, the service, and
# where there are public pages theirs (shared/db/access.py says what each may do). The image runs this once, when the
# cluster is made. It may be run again whenever a secret is new or changed, also over a database of an older release:
#     docker compose exec postgres bash /docker-entrypoint-initdb.d/10-databases.sh
# The secrets owner_<service> and database_<role> hold the URLs that the processes are given; what stands in them counts.
set -eo pipefail   # the image runs this within its own shell
secrets=${SECRETS:-/run/secrets}

ask() {
    psql --quiet --username "${POSTGRES_USER:-postgres}" --set ON_ERROR_STOP=1 --dbname "$@"
}

role() {   # name, file of the URL
    local url word
    url=$(cat "$2")
    word=${url#*://*:}
    ask postgres --set role="$1" --set word="${word%%@*}" <<'SQL'
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'word';
SQL
}

for file in "$secrets"/owner_*; do
    name=${file##*/owner_}
    role "${name}_owner" "$file"
    ask postgres --set name="$name" --set owner="${name}_owner" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C''', :'name', :'owner')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
    # An older release ran its services as the owner.
    ask "$name" --set name="$name" --set owner="${name}_owner" <<'SQL'
SELECT format('REASSIGN OWNED BY %I TO %I', :'name', :'owner') FROM pg_database
    WHERE datname = :'name' AND pg_get_userbyid(datdba) = :'name' \gexec
SQL
    for part in "$name" "${name}_public"; do
        if [ -e "$secrets/database_$part" ]; then
            role "$part" "$secrets/database_$part"
            ask postgres --set name="$name" --set role="$part" <<<'GRANT CONNECT ON DATABASE :"name" TO :"role"'
        fi
    done
done
ask postgres --command 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
