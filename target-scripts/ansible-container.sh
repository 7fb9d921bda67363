#!/bin/sh
# Runs a command in a container with Ansible and kubespray's requirements, by containerd's own ctr: no docker, no Python
# and no systemd are needed on this host.
#
# "target-setup ansible" brings the image into containerd, and puts this script with its settings into the kubespray
# tree. In the folder of the bundle it reads them from config.yml.
set -eu

# Filled in by target-setup.
image=
tree=

usage() {
  cat <<'HELP'
Usage: ansible-container.sh [OPTION...] [--] COMMAND [ARGUMENT...]

Runs COMMAND in a container with Ansible, for instance

  ./ansible-container.sh --mount /opt/kubespray-inventory ansible-playbook \
    -i /opt/kubespray-inventory/inventory.ini -i inventory/offline/inventory.ini --become cluster.yml
  ./ansible-container.sh ansible --version
  ./ansible-container.sh bash

The command sees the kubespray tree at its own path and starts in it (or in the
folder below it where you are), your ~/.ssh (read only), your ssh agent if one
runs, the host's network, /etc/hosts and /etc/resolv.conf. It runs as root, with
a terminal when there is one (else with nothing on its standard input), and its
exit status is that of this script. Any other folder must be named with --mount.
"localhost" in an inventory is the container: reach this host by ssh like all
others.

  --mount DIR     let the command see DIR too, at the same path; may be repeated
  --ssh DIR       the folder with ssh keys (~/.ssh of who called sudo, or yours)
  --env NAME[=VALUE]  set a variable, or hand on yours; may be repeated
  --tree DIR      another kubespray tree
  --image NAME    another image that containerd has
  -h, --help      this text

Exit status: that of the command; 2 wrong usage; 125 it could not be started.
HELP
}
die() { echo "error: $2" >&2; exit "$1"; }

# setting NAME: a value of the config.yml that download-all has written into the bundle.
setting() { sed -n "s/^  $1: *//p" "$here/config.yml" | sed 's/^"\(.*\)"$/\1/' | head -n 1; }

here=$(cd "$(dirname "$0")" && pwd)
ssh=
mounts=
variables=
# quoted WORD: the word for eval.
quoted() { printf "'%s' " "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }
while [ $# -gt 0 ]; do
  case $1 in
    --mount | --ssh | --env | --tree | --image)
      [ $# -gt 1 ] || die 2 "$1 wants a value; see --help"
      case $1 in
        --mount)
          [ -d "$2" ] || die 2 "$2 is no folder"
          mounts="$mounts$(quoted "$(cd "$2" && pwd -P)")"
          ;;
        --ssh) ssh=$2 ;;
        --env)
          case $2 in
            *=*) variables="$variables$(quoted "$2")" ;;
            *) eval "variables=\"\$variables\$(quoted \"$2=\${$2-}\")\"" ;;
          esac
          ;;
        --tree) tree=$(cd "$2" && pwd -P) || die 2 "$2 is no folder" ;;
        --image) image=$2 ;;
      esac
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    -*) die 2 "unknown option $1; see --help" ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { usage >&2; exit 2; }

if [ -f "$here/config.yml" ]; then
  [ -n "$image" ] || [ "$(setting ansible_in_container)" != true ] || image=$(setting ansible_image)
  [ -n "$tree" ] || tree=$(setting kubespray_directory)/kubespray-$(sed -n '/^kubespray:/,/^[a-z]/s/^  version: *//p' "$here/config.yml" | tr -d '"' | tr / - | head -n 1)
fi
[ -n "$image" ] || die 125 "the bundle was made without ansible_in_container: name an image with --image"
[ -d "$tree" ] || die 125 "there is no kubespray in $tree. Run: target-setup extract"

if [ -z "$ssh" ]; then
  # Who called sudo has the keys, not root.
  [ -z "${SUDO_USER-}" ] || [ "$(id -u)" != 0 ] || ssh=$(getent passwd "$SUDO_USER" 2>/dev/null | cut -d : -f 6)/.ssh
  [ -d "$ssh" ] || ssh=${HOME-/root}/.ssh
fi
ctr=/usr/local/bin/ctr
[ -x "$ctr" ] || ctr=$(command -v ctr) || die 125 "there is no containerd here. Run: target-setup containerd"
[ "$(id -u)" = 0 ] || die 125 "containerd is spoken to as root: sudo --preserve-env=SSH_AUTH_SOCK sh $0 ..."
found=$("$ctr" --connect-timeout 10s images list -q "name==$image") ||
  die 125 "containerd does not answer. Run: target-setup containerd"
[ -n "$found" ] || die 125 "containerd has no $image. Run: target-setup ansible"

work=$tree
case $(pwd -P) in "$tree"/*) work=$(pwd -P) ;; esac

# bind SOURCE PLACE OPTIONS: adds a mount to the words of the command line.
words=
bind() { words="$words--mount $(quoted "type=bind,src=$1,dst=$2,options=rbind:$3")"; }
bind "$tree" "$tree" rw
for file in /etc/hosts /etc/resolv.conf; do
  [ ! -e "$file" ] || bind "$file" "$file" ro
done
scratch=
if [ -d "$ssh" ]; then
  bind "$(cd "$ssh" && pwd -P)" /root/.ssh ro
  # ssh wants its settings to belong to who runs it; keys and known hosts it takes from anybody.
  if [ -f "$ssh/config" ] && [ "$(stat -c %u "$ssh/config")" != 0 ]; then
    scratch=$(mktemp)
    trap 'rm -f "$scratch"' EXIT
    cat "$ssh/config" >"$scratch"
    bind "$scratch" /root/.ssh/config ro
  fi
fi
if [ -n "${SSH_AUTH_SOCK-}" ] && [ -S "$SSH_AUTH_SOCK" ]; then
  bind "$SSH_AUTH_SOCK" /run/ssh-agent.sock rw
  variables="$variables'SSH_AUTH_SOCK=/run/ssh-agent.sock' "
fi
eval "set_mounts() { for folder in $mounts; do bind \"\$folder\" \"\$folder\" rw; done; }"
set_mounts
eval "set_variables() { for variable in $variables; do words=\"\$words--env \$(quoted \"\$variable\")\"; done; }"
set_variables
for name in TERM ANSIBLE_FORCE_COLOR http_proxy https_proxy no_proxy; do
  eval "value=\${$name-}"
  [ -z "$value" ] || words="$words--env $(quoted "$name=$value")"
done
# Without a terminal the command gets nothing to read, as with docker: ctr may miss the end of its own input, and the
# command would wait for it for ever.
start="\"\$@\""
if [ -t 0 ] && [ -t 1 ]; then words="$words--tty "; else start="sh -c 'exec \"\$@\" </dev/null' sh \"\$@\""; fi

# The host's network without its resolv.conf, which --net-host would want to be there.
name=kubespray-ansible-$$-$(date +%s)
status=0
eval "\"\$ctr\" --namespace default run --rm --with-ns network:/proc/self/ns/net --cwd $(quoted "$work") \
  --env HOME=/root $words \"\$image\" \"\$name\" $start" || status=$?
exit "$status"
