#!/bin/sh
# train.sh PROGRAM: has a build that counts what it does (tools/build.sh) do what the program mostly
# does: reads the project's own captures in every way that a busy agent or reader has, and tells what
# it finds in every form. Writes nothing but the counts, beside the objects. Takes half a minute.
set -eu
program=$(realpath "$1")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

sample=samples/demo.pcap.zst
echo 'flows: {health: true}' >"$folder/health.yml"
echo 'flows: {health: true, health_record: flat}' >"$folder/flat.yml"
cat >"$folder/beat.yml" <<EOF
packetbeat.flows: {timeout: 30s, period: 10s}
packetbeat.protocols:
  - {type: http, ports: [80]}
  - {type: mysql, ports: [3306]}
  - {type: pgsql, ports: [5432]}
  - {type: redis, ports: [6379]}
  - {type: dns, ports: [53]}
  - {type: tls, ports: [443]}
  - {type: icmp}
output.file: {path: $folder, filename: beat}
EOF
for count in 1 4; do
    {
        printf 'version: "1.0"\nvisor:\n  taps:\n    t: {input_type: pcap, config: {iface: none, host_spec: "192.0.2.0/24"}}\n'
        echo '  policies:'
        for i in $(seq "$count"); do
            echo "    p$i: {kind: collection, input: {tap: t, input_type: pcap, config: {bpf: 'not port $i'}}," \
                'handlers: {modules: {net: {type: net}, dns: {type: dns}, dhcp: {type: dhcp}}}}'
        done
    } >"$folder/policies-$count.yml"
done

# A capture that is damaged ends with status 1, and is here for that.
run() {
    status=0
    "$program" "$@" >"$folder/out" 2>"$folder/err" </dev/null || status=$?
    [ "$status" -le 1 ] || { echo "train.sh: status $status: $program $*" >&2; cat "$folder/err" >&2; exit 1; }
}

# What most time goes by weighs most: events, then summaries, with health and without.
for options in '--workers 1' '--workers 2' '--memory 64M' '--period 1s --deltas' "-c $folder/health.yml" \
    "-c $folder/flat.yml" "-c $folder/policies-1.yml"; do
    # shellcheck disable=SC2086 # options are words
    run read -o events $options "$sample"
done
for options in '--workers 1' '--workers 2' '--transactions' "-c $folder/health.yml" \
    "-c $folder/policies-1.yml" "-c $folder/policies-4.yml"; do
    # shellcheck disable=SC2086
    run read -o summary $options "$sample"
done
for options in '-o report' '--connections' '--connection 1' '--paths' "-w $folder/all.pcapng" "-f tcp -w $folder/tcp.pcap"; do
    # shellcheck disable=SC2086
    run read $options "$sample"
done
run read -o events "$folder/all.pcapng"
run read -o summary "$folder/tcp.pcap"
run pktvisor-reader -H 192.0.2.0/24 "$sample"
run pktvisor-reader --with tcp,tls,http,db "$folder/all.pcapng"
run packetbeat -t -I "$folder/tcp.pcap" --strict.perms=false -c "$folder/beat.yml"

# Traffic of all protocols at once, those most that most networks have most of. What is only done a few
# times is taken for rare, and built to be small: short captures do not tell.
captures=$(find src/proto/*/data -name '*.pcap' | LC_ALL=C sort)
common='^src/proto/(dns|http|mysql|pgsql|redis|tls)/'
# shellcheck disable=SC2046 # names are words
tools/weave.py "$folder/common.pcap" 40000 $(printf '%s\n' "$captures" | grep -E "$common")
# shellcheck disable=SC2046
tools/weave.py "$folder/others.pcap" 4000 $(printf '%s\n' "$captures" | grep -vE "$common")
for options in '-o events' '-o events --workers 2' "-o events -c $folder/health.yml" '-o summary' \
    '-o summary --transactions'; do
    # shellcheck disable=SC2086
    run read $options "$folder/common.pcap" "$folder/others.pcap"
done

# Every kind of capture file, and what else protocols have captures of.
for data in src/proto/*/data tests/golden src/tap/data; do
    captures=$(find "$data" -name '*.pcap*' | LC_ALL=C sort)
    [ -n "$captures" ] || continue
    # shellcheck disable=SC2086
    run read -o events $captures
    # shellcheck disable=SC2086
    run read -o summary --transactions $captures
done
