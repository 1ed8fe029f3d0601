#!/bin/bash
# record.sh [OUT [SECONDS]]: records the traffic that `vantage demo` replays (default demo.pcap.zst
# beside this script, 80 seconds).
#
# Two network namespaces are joined by a veth pair. In one, real servers listen: nginx before a small
# web shop (shop.py), MariaDB, PostgreSQL, Redis, unbound and dnsmasq's DHCP. In the other, real
# clients visit them (traffic.sh): curl, mariadb, psql, redis-cli, dig, ping, udhcpc. tcpdump listens
# at the clients' end. Nothing leaves the two namespaces; all addresses and names are documentation
# ones (RFC 5737, RFC 3849, RFC 2606). Each server runs as an unprivileged user on private data in a
# temporary directory, and everything is ended and removed on exit, on failure too.
#
# Needs root (namespaces) and the packages of PACKAGES.
set -euo pipefail
PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(dirname "$(realpath "$0")")
out=$(realpath -m "${1:-$here/demo.pcap.zst}")
seconds=${2:-80}

server=vantage-smp-srv
client=vantage-smp-cli
work=
pids=()

cleanup() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    ip netns del $server 2>/dev/null || true
    ip netns del $client 2>/dev/null || true
    rm -rf "/etc/netns/$client" "$work"
}

# Runs a server in its namespace as a user, in the background: serve USER LOG COMMAND...
# `ip netns exec` and setpriv both exec, so that $! is the server itself.
serve() {
    local user=$1 log=$2
    shift 2
    ip netns exec $server setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- \
        "$@" >"$work/$log.log" 2>&1 &
    pids+=($!)
}

# Waits until a command succeeds, at most 15 seconds: await NAME COMMAND...
await() {
    local name=$1 i
    shift
    for ((i = 0; i < 150; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "record.sh: $name did not come up; its log:" >&2
    tail -n 20 "$work/$name.log" >&2
    return 1
}

# The two namespaces, their veth pair, a VXLAN segment over it, and the loss.
make_network() {
    local i
    ip netns add $server
    ip netns add $client
    ip link add name srv netns $server address 02:00:00:00:00:50 type veth \
        peer name cli netns $client address 02:00:00:00:00:0a
    # Frames as a wire carries them: no segmentation offload, checksums filled in.
    ip netns exec $server ethtool -K srv tso off gso off gro off tx off >/dev/null
    ip netns exec $client ethtool -K cli tso off gso off gro off tx off >/dev/null
    ip -n $server link set lo up
    ip -n $client link set lo up
    for i in 1 33 53 54 63 80; do
        ip -n $server addr add 192.0.2.$i/24 dev srv
        ip -n $server addr add 2001:db8::$i/64 dev srv nodad
    done
    for i in 11 12 13 14 30; do
        ip -n $client addr add 192.0.2.$i/24 dev cli
        ip -n $client addr add 2001:db8::$i/64 dev cli nodad
    done
    ip -n $server link set srv up
    ip -n $client link set cli up
    # The databases' clients run on a host of their own: 192.0.2.30.
    for i in 33 54 63; do
        ip -n $client route add 192.0.2.$i dev cli src 192.0.2.30
    done
    # A host that never answers: it has a neighbour entry, so the SYN goes out, and nobody has the address.
    ip -n $client neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev cli
    # Servers need no root for their low ports.
    ip netns exec $server sysctl -qw net.ipv4.ip_unprivileged_port_start=0

    ip -n $server link add vx7 type vxlan id 7 dstport 4789 local 192.0.2.1 remote 192.0.2.30 dev srv
    ip -n $client link add vx7 type vxlan id 7 dstport 4789 local 192.0.2.30 remote 192.0.2.1 dev cli
    ip -n $server addr add 198.51.100.1/24 dev vx7
    ip -n $client addr add 198.51.100.30/24 dev vx7
    ip -n $server link set vx7 mtu 1450 up
    ip -n $client link set vx7 mtu 1450 up

    # Loss on the way to the visitor at .14, behind the capture point: the capture holds both the
    # lost segment and its retransmission.
    ip netns exec $client nft -f - <<'NFT'
table inet loss {
    chain input {
        type filter hook input priority 0;
        ip daddr 192.0.2.14 tcp sport 80 tcp flags & (syn|fin) == 0 numgen random mod 25 == 0 drop
    }
}
NFT
    mkdir -p "/etc/netns/$client"
    printf 'nameserver 192.0.2.53\noptions timeout:2 attempts:1\n' >"/etc/netns/$client/resolv.conf"
}

# TXT records that together do not fit a UDP answer: the client comes again over TCP.
big_records() {
    local i
    for ((i = 0; i < 40; i++)); do
        printf "    local-data: \"big.example. TXT '%060d'\"\n" $i
    done
}

start_dns() {
    cat >"$work/unbound.conf" <<EOC
server:
    interface: 192.0.2.53
    interface: 2001:db8::53
    access-control: 192.0.2.0/24 allow
    access-control: 2001:db8::/64 allow
    username: ""
    chroot: ""
    directory: "$work"
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: no
    module-config: "iterator"
    local-zone: "example." static
    local-data: "example. SOA ns.example. hostmaster.example. 66 3600 600 86400 300"
    local-data: "example. NS ns.example."
    local-data: "example. MX 10 mail.example."
    local-data: "example. TXT 'v=spf1 ip4:192.0.2.0/24 -all'"
    local-data: "ns.example. A 192.0.2.53"
    local-data: "mail.example. A 192.0.2.25"
    local-data: "shop.example. 60 A 192.0.2.80"
    local-data: "shop.example. 60 AAAA 2001:db8::80"
    local-data: "db.example. A 192.0.2.33"
    local-data: "reports.example. A 192.0.2.54"
    local-data: "cache.example. A 192.0.2.63"
    local-data: "_http._tcp.example. SRV 0 5 80 shop.example."
    local-data-ptr: "192.0.2.80 shop.example"
    local-zone: "secret.example." refuse
    local-zone: "invalid." static
    local-zone: "test." nodefault
$(big_records)
forward-zone:
    name: "broken.test."
    forward-addr: 127.0.0.1@9
EOC
    serve unbound unbound unbound -d -c "$work/unbound.conf"
    await unbound ip netns exec $client dig +short +tries=1 +time=1 @192.0.2.53 shop.example
}

# nginx in front, the shop behind it on the server's own loopback, which is not captured.
start_web() {
    mkdir -p "$work/www" "$work/nginx"
    chown www-data "$work/nginx"
    printf '<!doctype html>\n<title>Shop</title>\n<link rel=stylesheet href=/style.css>\n<h1>Shop</h1>\n' \
        >"$work/www/index.html"
    printf 'body { font: 16px sans-serif; margin: 2em }\nh1 { color: #246 }\n' >"$work/www/style.css"
    seq -f 'order %g;shipped;66.00' 1 9000 >"$work/www/orders.csv"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=shop.example \
        -addext subjectAltName=DNS:shop.example -keyout "$work/nginx/key.pem" \
        -out "$work/nginx/cert.pem" 2>/dev/null
    chown www-data "$work/nginx/"*
    cat >"$work/nginx.conf" <<EOC
daemon off;
worker_processes 1;
pid $work/nginx/pid;
error_log stderr;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $work/nginx/b;
    proxy_temp_path $work/nginx/p;
    fastcgi_temp_path $work/nginx/f;
    uwsgi_temp_path $work/nginx/u;
    scgi_temp_path $work/nginx/s;
    types { text/html html; text/css css; text/csv csv; }
    server {
        listen 80;
        listen [::]:80;
        listen 443 ssl;
        ssl_certificate $work/nginx/cert.pem;
        ssl_certificate_key $work/nginx/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        root $work/www;
        location = /orders { return 301 /orders.csv; }
        location /api/ { proxy_pass http://127.0.0.1:8000; }
    }
}
EOC
    serve www-data shop /usr/bin/python3 "$work/shop.py" "$work/slow"
    serve www-data nginx nginx -p "$work/nginx" -c "$work/nginx.conf"
    await nginx ip netns exec $client curl -sf --resolve shop.example:80:192.0.2.80 \
        http://shop.example/api/items
}

start_mariadb() {
    install -d -o mysql "$work/mariadb"
    mariadb-install-db --user=mysql --datadir="$work/mariadb" \
        --auth-root-authentication-method=normal >"$work/mariadb.log" 2>&1
    serve mysql mariadb mariadbd --no-defaults --datadir="$work/mariadb" \
        --socket="$work/mariadb/socket" --pid-file="$work/mariadb/pid" \
        --bind-address=192.0.2.33 --skip-log-bin --skip-name-resolve
    local admin=(mariadb --no-defaults --socket="$work/mariadb/socket" -uroot)
    await mariadb "${admin[@]}" -e 'select 1'
    "${admin[@]}" <<'SQL'
create database shop;
use shop;
create table items (id int primary key, name varchar(40) not null, price decimal(8,2), stock int);
insert into items select seq, concat('item ', seq), seq * 1.5, 10 from seq_1_to_120;
create table orders (id int auto_increment primary key, item int not null, quantity int not null);
create user app@'192.0.2.%' identified by 'an app password';
grant all on shop.* to app@'192.0.2.%';
SQL
}

start_postgres() {
    local bin
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
    install -d -o postgres -m 700 "$work/postgres"
    (cd "$work/postgres" && setpriv --reuid postgres --regid postgres --clear-groups -- \
        "$bin/initdb" -D "$work/postgres" -A trust -U postgres >"$work/postgres.log" 2>&1)
    echo 'host all all 192.0.2.0/24 trust' >>"$work/postgres/pg_hba.conf"
    serve postgres postgres "$bin/postgres" -D "$work/postgres" -c listen_addresses=192.0.2.54 \
        -c unix_socket_directories="$work/postgres" -c fsync=off
    local admin=(psql -q -h "$work/postgres" -U postgres)
    await postgres "${admin[@]}" -c 'select 1'
    "${admin[@]}" <<'SQL'
create role reports login;
create database reports owner reports;
\c reports reports
create table sales (day date, item int, amount numeric(8,2));
insert into sales select date '2024-01-01' + i % 90, i % 120, (i * 37 % 990) / 10.0
    from generate_series(1, 2000) i;
SQL
}

start_redis() {
    install -d -o redis "$work/redis"
    serve redis redis redis-server --bind 192.0.2.63 --port 6379 --protected-mode no --save '' \
        --appendonly no --dir "$work/redis"
    await redis ip netns exec $server redis-cli -h 192.0.2.63 ping
}

# DHCP needs raw sockets of its server; dnsmasq drops to an unprivileged user itself.
start_dhcp() {
    ip netns exec $server dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 \
        --interface=srv --bind-interfaces --dhcp-leasefile="$work/leases" --user=nobody \
        --dhcp-range=192.0.2.200,192.0.2.220,1h --dhcp-option=option:domain-name,example \
        >"$work/dnsmasq.log" 2>&1 &
    pids+=($!)
}

# Runs the clients under the capture and compresses what it saw.
record() {
    ip netns exec $client tcpdump -Z root -i cli -n -U -w "$work/demo.pcap" >"$work/tcpdump.log" 2>&1 &
    local capture=$!
    pids+=($capture)
    await tcpdump grep -q 'listening on' "$work/tcpdump.log"
    ip netns exec $client timeout $((seconds + 60)) bash "$here/traffic.sh" "$work" "$seconds"
    sleep 1
    kill -INT $capture
    wait $capture || true
    grep -q '^0 packets dropped' "$work/tcpdump.log" || {
        echo "record.sh: the capture lost packets; try again on a quieter machine" >&2
        return 1
    }
    zstd -q -19 -f "$work/demo.pcap" -o "$out"
    # Whatever umask and directory: what is committed is readable by all.
    chmod 644 "$out"
}

main() {
    if ((EUID != 0)); then
        echo "record.sh: needs root, for the network namespaces" >&2
        exit 1
    fi
    work=$(mktemp -d -t vantage-smp.XXXXXX)
    trap cleanup EXIT
    trap 'exit 130' INT TERM
    chmod 711 "$work"
    cp "$here/shop.py" "$work/shop.py"
    make_network
    start_dns
    start_web
    start_mariadb
    start_postgres
    start_redis
    start_dhcp
    record
    ls -l "$out"
}

main
