#!/bin/bash
# One role and one database for each service, closed to everybody else. Runs once, when the cluster is made.
# Each secret database_<service> is the URL that the service is given; its password becomes the role's.
set -eo pipefail   # the image runs this within its own shell
for file in /run/secrets/database_*; do
    name=${file##*/database_}
    url=$(cat "$file")
    word=${url#*://*:}
    word=${word%%@*}
    psql --quiet --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set name="$name" --set word="$word" <<'SQL'
CREATE ROLE :"name" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'word';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
psql --quiet --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --command 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
