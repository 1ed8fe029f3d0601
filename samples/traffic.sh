#!/bin/bash
# traffic.sh DIR SECONDS: the clients of the recorded sample. Run by record.sh inside the clients'
# namespace; DIR/slow is the file by which the shop is made slow.
#
#   all the time   visitors of the shop over IPv4 and IPv6, look-ups, three databases, ping, VXLAN
#   seconds 8      a host that never answers, a closed port (TCP and UDP), a DHCP lease
#   seconds 30-45  checkout is slow and MariaDB is waited for; item 66 answers 500 throughout
#   seconds 55     a burst of some 150 names that do not exist
#   seconds 60     downloads over a lossy path; a reader that stops reading
set -u
dir=$1
length=$2
agents=(
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36'
    'shop-app/3.2 (Android 14)'
)

# True while there are more than $1 seconds left.
time_left() {
    ((SECONDS < length - ${1:-0}))
}

# A pause of $1 to $1 + $2 hundredths of a second.
pause() {
    local hundredths=$(($1 + RANDOM % $2))
    sleep "$((hundredths / 100)).$(printf %02d $((hundredths % 100)))"
}

# One visitor: a page with what belongs to it over one connection, items, now and then an order.
visitor() {
    local source=$1 family=$2 session item agent base=http://shop.example
    agent=${agents[RANDOM % 3]}
    session=$(printf %04x%04x $RANDOM $RANDOM)
    local visit=(curl "-$family" -s -m 10 --interface "$source" -A "$agent" -b "session=$session" -o /dev/null)
    while time_left 4; do
        item=$((RANDOM % 8 == 0 ? 66 : RANDOM % 130 + 1))
        "${visit[@]}" $base/ -o /dev/null $base/style.css -o /dev/null $base/api/items \
            -o /dev/null "$base/api/item/$item?from=list"
        pause 40 120
        ((RANDOM % 2)) || "${visit[@]}" --json "{\"item\": $item, \"quantity\": 1}" $base/api/checkout
        ((RANDOM % 6)) || "${visit[@]}" $base/favicon.ico
        pause 40 160
    done
}

tls_visits() {
    while time_left 4; do
        curl -4 -sk -m 5 --interface 192.0.2.12 --tls-max 1.$((2 + RANDOM % 2)) -o /dev/null \
            https://shop.example/ -o /dev/null https://shop.example/api/items
        pause 300 300
    done
    # A client that does not know the certificate's issuer, and says so.
    curl -4 -s -m 5 --tls-max 1.2 -o /dev/null https://shop.example/
    curl -4 -s -m 5 -u alice:wonderland -o /dev/null 'http://shop.example/api/items?token=sesame'
}

look_ups() {
    local names=('shop.example A' 'shop.example AAAA' 'example MX' 'example TXT' 'example NS' 'example SOA'
        '_http._tcp.example SRV' 'db.example A' 'reports.example A' 'cache.example A' 'wwww.example A'
        'secret.example A' 'broken.test A' 'big.example TXT' 'mail.example A' 'mail.example AAAA')
    local name type server
    while time_left 4; do
        read -r name type <<<"${names[RANDOM % ${#names[@]}]}"
        server=$((RANDOM % 4)) && ((server)) && server=192.0.2.53 || server=2001:db8::53
        dig +tries=1 +time=2 @$server "$name" "$type" >/dev/null
        ((RANDOM % 5)) || dig +tries=1 +time=2 @192.0.2.53 -x 192.0.2.80 >/dev/null
        pause 20 60
    done
}

# Names made up by a program that looks for its master.
nxdomain_burst() {
    local i
    for ((i = 0; i < 150; i++)); do
        printf '%04x%04x.update.invalid A\n' $RANDOM $RANDOM
    done >"$dir/names"
    dig -b 192.0.2.13 +tries=1 +time=1 @192.0.2.53 -f "$dir/names" >/dev/null
}

mariadb_sessions() {
    local slow
    while time_left 4; do
        slow=0.0$((RANDOM % 10))
        [[ -e $dir/slow ]] && slow=0.9
        mariadb --no-defaults --force -h 192.0.2.33 -uapp '-pan app password' shop >/dev/null 2>&1 <<SQL
select id, name, price from items where id between $((RANDOM % 60)) and $((60 + RANDOM % 60));
begin;
update items set stock = stock - 1 where id = $((RANDOM % 120 + 1));
insert into orders (item, quantity) values ($((RANDOM % 120 + 1)), 1);
select sleep($slow) /* waits for a lock, or plays so */;
commit;
select nonsense from items;
insert into items values (1, 'again', 1, 1);
prepare one from 'select name from items where id = ?';
set @id = 7;
execute one using @id;
SQL
        pause 120 150
    done
    mariadb --no-defaults -h 192.0.2.33 -uapp -pwrong shop -e 'select 1' >/dev/null 2>&1
}

postgres_sessions() {
    while time_left 4; do
        psql -q -h 192.0.2.54 -U reports reports >/dev/null 2>&1 <<SQL
select item, sum(amount) from sales where day >= '2024-0$((RANDOM % 3 + 1))-01' group by item order by 2 desc limit 10;
begin; update sales set amount = amount + 1 where item = $((RANDOM % 120)); commit;
select * from no_such_table;
select 1 / (item - item) from sales limit 1;
select pg_sleep(0.$((RANDOM % 3)));
copy (select * from sales where item = 7) to stdout;
prepare one (int) as select count(*) from sales where item = \$1;
execute one (7);
SQL
        pause 150 200
    done
}

# A command in Redis' own protocol: resp WORD...
resp() {
    local word
    printf '*%d\r\n' $#
    for word in "$@"; do
        printf '$%d\r\n%s\r\n' ${#word} "$word"
    done
}

# Single commands over a connection of their own, and a batch in one pipeline.
redis_sessions() {
    local client=(redis-cli -h 192.0.2.63)
    while time_left 4; do
        {
            "${client[@]}" SET session:$RANDOM "cart of a visitor" EX 600
            "${client[@]}" INCR visits
            "${client[@]}" GET visits
            "${client[@]}" HSET item:66 name "item 66" price 99
            "${client[@]}" INCR item:66
            "${client[@]}" NOSUCHCOMMAND
            {
                resp LPUSH queue "order-$RANDOM"
                resp RPOP queue
                resp HGETALL item:66
                resp MGET visits no-such-key
            } | "${client[@]}" --pipe
        } >/dev/null 2>&1
        pause 80 100
    done
}

overlay_visits() {
    while time_left 6; do
        curl -s -m 5 -o /dev/null http://198.51.100.1/ -o /dev/null http://198.51.100.1/api/items
        ping -q -c 2 -i 0.3 198.51.100.1 >/dev/null
        pause 400 300
    done
}

troubles() {
    sleep 8
    curl -s --connect-timeout 7.5 http://192.0.2.99/ &
    curl -s --connect-timeout 3 http://192.0.2.80:8081/
    dig +tries=1 +time=2 -p 5353 @192.0.2.80 shop.example >/dev/null
    dig +tries=2 +time=1 @192.0.2.99 shop.example >/dev/null
    busybox udhcpc -f -q -n -t 2 -T 2 -i cli -s /bin/true >/dev/null 2>&1
    wait
}

slow_quarter() {
    sleep 30
    touch "$dir/slow"
    sleep 15
    rm -f "$dir/slow"
}

downloads() {
    sleep 60
    curl -s -m 15 --interface 192.0.2.14 -A 'report-fetcher/1.0' -L -o /dev/null http://192.0.2.80/orders \
        -o /dev/null http://192.0.2.80/orders.csv
    # A small receive buffer and a slow reader: the sender meets a closed window.
    local window
    window=$(sysctl -n net.ipv4.tcp_rmem)
    sysctl -qw net.ipv4.tcp_rmem='4096 8192 8192'
    timeout 6 curl -s --limit-rate 20k -o /dev/null http://192.0.2.80/orders.csv &
    sleep 1
    sysctl -qw net.ipv4.tcp_rmem="$window"
    wait
}

rm -f "$dir/slow"
visitor 192.0.2.11 4 &
visitor 192.0.2.12 4 &
visitor 192.0.2.13 4 &
visitor 2001:db8::11 6 &
visitor 2001:db8::12 6 &
visitor 192.0.2.11 4 &
visitor 192.0.2.12 4 &
visitor 2001:db8::13 6 &
tls_visits &
look_ups &
mariadb_sessions &
postgres_sessions &
redis_sessions &
overlay_visits &
troubles &
slow_quarter &
downloads &
(sleep 55 && nxdomain_burst) &
ping -q -i 2 -c $((length / 2 - 2)) 192.0.2.80 >/dev/null &
ping -q -i 5 -c $((length / 5 - 2)) 2001:db8::80 >/dev/null &
wait
