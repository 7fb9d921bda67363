#!/bin/sh
# Proves who made a bundle before anything of it runs, and then runs its target-setup from a copy that nobody can change.
# Bring this file, and the allowed signers, on another way than the bundle. Needs root, ssh-keygen (8.2 or newer), sha256sum.
#
#   sh verify-bundle BUNDLE [SIGNERS] [ARGUMENTS OF target-setup...]     (SIGNERS has a slash; the arguments: verify)
#
# SIGNERS is a file in OpenSSH's format, /etc/kubespray-offline/allowed_signers unless named; a file "threshold" beside it
# says how many of them must have signed (1). The digests are read out of the signed bundle.json as download-all writes it:
# one key a line, and in each of "files" the line "sha256" after the line "path".
set -u
die() { echo "error: $*. Nothing of the bundle was run." >&2; exit 1; }
[ $# -gt 0 ] || { echo "usage: sh verify-bundle BUNDLE [SIGNERS] [ARGUMENTS...]" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die "verify-bundle needs root"
bundle=$(CDPATH='' cd -- "$1" && pwd -P) || die "$1 is not a folder"
shift
signers=/etc/kubespray-offline/allowed_signers
case ${1-} in -*) ;; */*)
  signers=$(CDPATH='' cd -- "${1%/*}" && pwd -P)/${1##*/}
  shift
  [ $# -gt 0 ] || set -- verify
  set -- "$@" --allowed-signers "$signers" ;;
esac
[ -f "$signers" ] || die "$signers, the keys that may sign a bundle, is missing"
threshold=$(cat "${signers%/*}/threshold" 2>/dev/null) || threshold=1
case $threshold in [1-9]) ;; *) die "${signers%/*}/threshold is not a number from 1 to 9" ;; esac

# /var/lib is root's, so nobody else can have made the folder before.
copy=${VERIFY_BUNDLE_FOLDER:-/var/lib}/kubespray-offline-verified.$$
(umask 077 && mkdir "$copy" "$copy/lib") || die "$copy cannot be made"
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' HUP INT TERM
take() { # take FILE: copies it; that it is a file and no link is for its place, what is in it for the digests
  if [ -L "$bundle/${1%/*}" ] || [ -L "$bundle/$1" ] || [ ! -f "$bundle/$1" ]; then die "$bundle/$1 is missing, or is not a file"; fi
  cp "$bundle/$1" "$copy/$1" || die "$bundle/$1 cannot be copied"
}
take bundle.json
for number in '' .2 .3 .4 .5 .6 .7 .8 .9 .10 .11 .12 .13 .14 .15 .16; do
  [ -e "$bundle/bundle.json.sig$number" ] || continue
  take "bundle.json.sig$number"
  ssh-keygen -Y find-principals -s "$copy/bundle.json.sig$number" -f "$signers" 2>/dev/null | tr ',' '\n' >"$copy/names"
  while IFS= read -r name; do
    if ssh-keygen -Y verify -f "$signers" -I "$name" -n kubespray-offline-bundle \
      -s "$copy/bundle.json.sig$number" <"$copy/bundle.json" >/dev/null 2>&1; then echo "$name"; break; fi
  done <"$copy/names" >>"$copy/signed"
done
[ -f "$copy/signed" ] || die "$bundle/bundle.json is not signed (bundle.json.sig is missing)"
count=$(LC_ALL=C sort -u "$copy/signed" | wc -l)
[ "$count" -ge "$threshold" ] || die "$bundle/bundle.json is signed by $((count)) of the $threshold signers that $signers demands (bundle.json.sig)"

# Only what the signed statement lists is copied, whatever else lies in lib/.
awk -F'"' '/^  [^ ]/ { inside = /^  "files" : \[/ }
  inside && /^      "path" : "/ { path = $4; next }
  inside && /^      "sha256" : "sha256:[0-9a-f]+",?$/ && path ~ /^(target-setup|SHA256SUMS|lib\/[^\/]+)$/ { print substr($4, 8) "  " path }
  { path = "" }' "$copy/bundle.json" >"$copy/sums"
for file in target-setup lib/target-setup; do
  grep -q "  $file\$" "$copy/sums" || die "bundle.json lists no $file in the form that this script reads"
done
cut -c 67- "$copy/sums" >"$copy/names"
while IFS= read -r file; do take "$file"; done <"$copy/names"
(cd "$copy" && sha256sum -c sums) >"$copy/checked" 2>&1 || { grep -v ': OK$' "$copy/checked" >&2; die "$bundle is not what was signed"; }
echo "$bundle was signed by $(LC_ALL=C sort -u "$copy/signed" | tr '\n' ' ')" >&2
[ $# -gt 0 ] || set -- verify
sh "$copy/target-setup" --bundle "$bundle" "$@"
