#!/bin/sh
# Starts a sentinel. It writes what it learns into its own configuration, which therefore lies on
# its volume and is made only once: after a failover it must not forget who the master is. It tells
# the others its name (compose.yaml's hostname), as a container that starts again has another address.
set -eu
: "${MASTER_HOST:?}" "${REDIS_PASSWORD:?}"
dir=${SENTINEL_DIR:-/data}
if [ ! -s "$dir/sentinel.conf" ]; then
    umask 077
    cat >"$dir/sentinel.conf.new" <<CONF
bind ${SENTINEL_BIND:-*}
port 26379
dir $dir
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip ${SENTINEL_NAME:-$(hostname)}
sentinel announce-port 26379
sentinel monitor mymaster $MASTER_HOST 6379 2
sentinel auth-pass mymaster $REDIS_PASSWORD
sentinel down-after-milliseconds mymaster 2000
sentinel failover-timeout mymaster 10000
sentinel parallel-syncs mymaster 1
CONF
    mv "$dir/sentinel.conf.new" "$dir/sentinel.conf"
fi
exec redis-sentinel "$dir/sentinel.conf"
