# A gate behind somebody's own program: `sh edge.sh observe|apply GATE`, JSON on standard input.
# Every site is a file in GATE/current, as the file gate of nginx wants it.
set -eu
verb=$1 gate=$2
mkdir -p "$gate/current"
request=$(cat)
# The items of an array of strings in a compact document.
items() {
    printf '%s\n' "$request" | sed -n "s/.*\"$1\":\[\([^]]*\)\].*/\1/p" | tr -d '"' | tr ',' '\n'
}
case $verb in
observe)
    epoch=$(cat "$gate/epoch" 2>/dev/null || echo null)
    views=$( (ls "$gate/current"; items keys) | sort -u | while read -r key; do
        [ -n "$key" ] || continue
        light=lit
        [ -f "$gate/current/$key" ] && light=dark
        printf ',"%s":{"durable":"%s","runtime":"%s"}' "$key" "$light" "$light"
    done)
    printf '{"schema":"relight.edge.observed/1","epoch":%s,"keys":{%s}}' "$epoch" "${views#,}"
    ;;
apply)
    items dark >"$gate/wanted"
    while read -r key; do
        [ -z "$key" ] || : >"$gate/current/$key"
    done <"$gate/wanted"
    for path in "$gate"/current/*; do
        [ -f "$path" ] || continue
        grep -qxF "${path##*/}" "$gate/wanted" || rm "$path"
    done
    printf '%s\n' "$request" | sed -n 's/.*"epoch":\({[^}]*}\).*/\1/p' >"$gate/epoch"
    ;;
*)
    exit 64
    ;;
esac
