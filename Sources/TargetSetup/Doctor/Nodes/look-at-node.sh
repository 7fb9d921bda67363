# shellcheck shell=sh
# Looks at a machine that is to be a node, and prints what it finds as lines NAME VALUE. Changes nothing.
#
#   sh -s -- [python PROGRAM] [server HOST PORT]... [port NUMBER]...
#
# target-setup doctor --inventory sends it over ssh and judges what it says. Below $LOOK_BELOW are /proc, /sys and /etc of the
# tests.
set -u
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
below=${LOOK_BELOW-}

say() { printf '%s %s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
# within SECONDS COMMAND...: busybox has no timeout everywhere.
within() {
  if have timeout; then timeout "$@"; else shift; "$@"; fi
}

python=
look_for_python() {
  for python in "$@" python3 /usr/libexec/platform-python; do
    if have "$python"; then
      say python "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo broken) $python"
      return
    fi
  done
  python=
  say python missing
}
look_at_rights() {
  if [ "$(id -u)" = 0 ]; then
    say sudo root
  elif ! have sudo; then
    say sudo missing
  elif sudo -n true >/dev/null 2>&1 </dev/null; then
    say sudo yes
  else
    say sudo password
  fi
}
look_at_names() {
  say user "$(id -un 2>/dev/null || id -u)"
  say hostname "$(hostname 2>/dev/null || cat "$below/proc/sys/kernel/hostname")"
  [ ! -s "$below/etc/machine-id" ] || say machine "$(cat "$below/etc/machine-id")"
  # shellcheck disable=SC2086 # four words: the client's address and port, the server's address and port
  if [ -n "${SSH_CONNECTION-}" ]; then set -- $SSH_CONNECTION; say reached "$3"; fi
  for address in $(ip -o addr show scope global 2>/dev/null | sed -n 's/.* inet6* \([^/ ]*\).*/\1/p'); do say address "$address"; done
}
# disk FOLDER: kilobytes that are free where it is, or will be.
look_at_disk() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  df -Pk "$folder" 2>/dev/null | awk -v folder="$1" 'NR == 2 { print "disk", folder, $4, $6 }'
}
look_at_kernel() {
  awk '$1 == "MemTotal:" { print "memory", $2 }' "$below/proc/meminfo"
  awk 'NR > 1 { print "swap", $1 }' "$below/proc/swaps" 2>/dev/null
  if [ -r "$below/sys/fs/cgroup/cgroup.controllers" ]; then
    say cgroups "2 $(cat "$below/sys/fs/cgroup/cgroup.controllers")"
  else
    say cgroups "1 $(awk '!/^#/ && $4 == 1 { printf "%s ", $1 }' "$below/proc/cgroups" 2>/dev/null)"
  fi
}
# asked HOST PORT: whether a connection comes about, with what there is.
asked() {
  if have bash; then
    # shellcheck disable=SC2016 # for bash
    within 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
  elif [ -n "$python" ]; then
    "$python" -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)' "$1" "$2" 2>/dev/null
  elif have curl; then
    # 52: it connected, and nothing was said in HTTP.
    curl -q --noproxy '*' -s -o /dev/null -m 5 "telnet://$1:$2" </dev/null || [ $? = 52 ]
  else
    return 3
  fi
}
look_at_server() {
  asked "$1" "$2"
  case $? in
    0) say server "$1 $2 yes" ;;
    3) say server "$1 $2 unknown" ;;
    *) say server "$1 $2 no" ;;
  esac
}
# look_at_port NUMBER: who listens there, if anybody.
look_at_port() {
  number=$(printf '%04X' "$1")
  cat "$below/proc/net/tcp" "$below/proc/net/tcp6" 2>/dev/null |
    awk -v port=":$number" '$4 == "0A" && index($2, port) == length($2) - 4 { found = 1 } END { exit !found }' || return 0
  owner=
  if have ss; then
    owner=$( (sudo -n ss -ltnpH "sport = :$1" || ss -ltnpH "sport = :$1") 2>/dev/null </dev/null |
      sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | head -n 1)
  fi
  say listens "$1 ${owner:-?}"
}
# The sources of packages that are in use: "bundle ADDRESS" for that of the bundle, "other FILE" for each other one.
look_at_sources() {
  for file in "$below/etc/apt/sources.list" "$below"/etc/apt/sources.list.d/*.list "$below"/etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    case $file in
      */kubespray-offline.sources) sed -n 's/^URIs: */source bundle /p' "$file" ;;
      *.sources) awk 'tolower($1) == "uris:" { found = 1 } tolower($1) == "enabled:" && tolower($2) == "no" { off = 1 }
        END { exit !found || off }' "$file" && say source "other ${file#"$below"}" ;;
      *) grep -q '^[[:space:]]*deb' "$file" && say source "other ${file#"$below"}" ;;
    esac
  done
  for file in "$below"/etc/yum.repos.d/*.repo "$below"/etc/zypp/repos.d/*.repo; do
    [ -f "$file" ] || continue
    case $file in
      */kubespray-offline.repo) sed -n 's/^baseurl=\([^?]*\).*/source bundle \1/p' "$file" ;;
      *) awk -F= '/^\[/ { if (on) found = 1; on = 1 } $1 ~ /^enabled *$/ && $2 ~ /^ *0/ { on = 0 }
        END { exit !(found || on) }' "$file" && say source "other ${file#"$below"}" ;;
    esac
  done
}

say look 1
say time "$(date +%s)"
[ "${1-}" != python ] || { wanted=$2; shift 2; }
if have apt-get; then say packages apt; elif have dnf; then say packages dnf; elif have zypper; then say packages zypper; fi
look_for_python ${wanted:+"$wanted"}
look_at_rights
look_at_names
look_at_disk /var
look_at_disk /opt
look_at_kernel
look_at_sources
while [ $# -gt 0 ]; do
  case $1 in
    server) look_at_server "$2" "$3"; shift 3 ;;
    port) look_at_port "$2"; shift 2 ;;
    *) shift ;;
  esac
done
say end 1
