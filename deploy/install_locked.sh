#!/bin/bash
# Installs what a lock file names, and nothing else: `install_locked.sh PYTHON LOCK`.
# A lock is complete, so pip resolves nothing: newer releases elsewhere change nothing. Then every need is checked.
set -euo pipefail
python=$1 lock=$2
total=$(grep -c '==' "$lock")
"$python" -m pip install --disable-pip-version-check --progress-bar off --no-deps --require-hashes -r "$lock" | awk -v total="$total" '
    /^(Collecting|Requirement already satisfied)/ { if (++seen % 10 == 0) { print "  " seen "/" total; fflush() } }
    /^Installing collected/ { print "  写入磁盘……"; fflush() }'
lacks=$("$python" -m pip check --disable-pip-version-check) || {
    echo "$lacks" >&2
    echo "锁定文件 $lock 不完整：缺少以上软件包。请执行 make lock 重新生成后再试。" >&2
    exit 1
}
