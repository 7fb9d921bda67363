#!/bin/sh
# Installs a release of kubespray-offline, after it has proved the archive.
#
#   sh install.sh kubespray-offline-VERSION-linux-ARCH.tar.gz [PREFIX]
#   ALLOWED_SIGNERS=FILE sh install.sh ...      also demands a signature by one of these keys (OpenSSH's format)
#
# PREFIX is /usr/local for root and ~/.local for anybody else. SHA256SUMS must lie beside the archive. An earlier release
# stays in PREFIX/lib/kubespray-offline-VERSION; PREFIX/bin/download-all leads to the one that was installed last.
set -eu

die() { echo "error: $*" >&2; exit 1; }
[ $# -ge 1 ] && [ $# -le 2 ] || die "usage: sh install.sh kubespray-offline-VERSION-linux-ARCH.tar.gz [PREFIX]"
archive=$1
[ -f "$archive" ] || die "$archive: there is no such file"
if [ $# -eq 2 ]; then
  prefix=$2
elif [ "$(id -u)" = 0 ]; then
  prefix=/usr/local
else
  prefix=$HOME/.local
fi
folder=$(dirname -- "$archive")
file=$(basename -- "$archive")
name=${file%.tar.gz}
sums=$folder/SHA256SUMS
[ "$name" != "$file" ] || die "$file does not end with .tar.gz"
[ -f "$sums" ] || die "$sums: the checksums must lie beside the archive"

if [ -n "${ALLOWED_SIGNERS-}" ]; then
  [ -f "$sums.sig" ] || die "$sums.sig: there is no signature"
  signer=$(ssh-keygen -Y find-principals -f "$ALLOWED_SIGNERS" -s "$sums.sig" 2>/dev/null | head -n 1)
  [ -n "$signer" ] || die "$sums.sig is by none of the keys in $ALLOWED_SIGNERS"
  ssh-keygen -Y verify -f "$ALLOWED_SIGNERS" -I "$signer" -n kubespray-offline-release -s "$sums.sig" <"$sums" >&2 ||
    die "$sums is not what was signed"
fi
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$file\$/\1/p" "$sums")
[ -n "$wanted" ] || die "$sums does not list $file"
found=$(sha256sum "$archive")
[ "${found%% *}" = "$wanted" ] || die "$archive is not as SHA256SUMS says: fetch it again"

mkdir -p "$prefix/lib" "$prefix/bin"
place=$prefix/lib/${name%-linux-*}
fresh=$prefix/lib/.kubespray-offline.$$
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh"
tar -xzf "$archive" -C "$fresh" --no-same-owner
[ -f "$fresh/$name/download-all" ] || die "$archive holds no release"
rm -rf "$place"
mv "$fresh/$name" "$place"
ln -sfn "$place/download-all" "$prefix/bin/download-all"
for page in "$place"/share/man/man1/*.1; do
  mkdir -p "$prefix/share/man/man1"
  ln -sfn "$page" "$prefix/share/man/man1/$(basename -- "$page")"
done
echo "installed: $prefix/bin/download-all ($("$prefix/bin/download-all" --version))" >&2
case ":$PATH:" in
  *":$prefix/bin:"*) echo "next: download-all plan" >&2 ;;
  *) echo "next: $prefix/bin/download-all plan   ($prefix/bin is not in PATH)" >&2 ;;
esac
