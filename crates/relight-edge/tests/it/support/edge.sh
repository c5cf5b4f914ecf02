# A gate behind somebody's own program: `sh edge.sh observe|apply GATE`, JSON on standard input.
# Every site is a file in GATE/current, as the file gate of nginx wants it.
set -eu
verb=$1 gate=$2
mkdir -p "$gate/current"
request=$(cat)
# A caller that was killed may leave half a document, and a program that outlives it: what is not
# whole is not done, one program at a time has the gate, and an older order does not follow a newer.
case $request in *'}') ;; *) exit 75 ;; esac
exec 9>"$gate/lock"
flock 9
# The items of an array of strings in a compact document.
items() {
    printf '%s\n' "$request" | sed -n "s/.*\"$1\":\[\([^]]*\)\].*/\1/p" | tr -d '"' | tr ',' '\n'
}
number() {
    printf '%s\n' "$2" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
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
    epoch=$(printf '%s\n' "$request" | sed -n 's/.*"epoch":\({[^}]*}\).*/\1/p')
    held=$(cat "$gate/epoch" 2>/dev/null || echo '{"term":0,"seq":0}')
    [ "$(number term "$epoch")" -ge "$(number term "$held")" ] || exit 1
    if [ "$(number term "$epoch")" -eq "$(number term "$held")" ]; then
        [ "$(number seq "$epoch")" -ge "$(number seq "$held")" ] || exit 1
    fi
    items dark >"$gate/wanted"
    while read -r key; do
        [ -z "$key" ] || : >"$gate/current/$key"
    done <"$gate/wanted"
    for path in "$gate"/current/*; do
        [ -f "$path" ] || continue
        grep -qxF "${path##*/}" "$gate/wanted" || rm "$path"
    done
    printf '%s\n' "$epoch" >"$gate/epoch"
    ;;
*)
    exit 64
    ;;
esac
