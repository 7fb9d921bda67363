# What the public hosts serve in these tests: a kubespray tree, releases and images whose programs are real. Sourced by
# run, after world.sh and registry.sh of Tests/EndToEnd.
#
# containerd, runc, the CNI plugins, nginx and the registry are this machine's packages, packed as the projects pack
# their releases. Stood in for: nerdctl, which Debian has not, and what a node of a cluster would run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

releases=$work/releases
ansible_base=docker.io/library/python:3-slim
images_made=$work/images.tsv # what make-images has made: kind, reference, digests

program_version() { "$@" | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; }
version_of() {
  case $1 in
    containerd) program_version containerd --version ;;
    runc) program_version runc --version ;;
    cni) dpkg-query --show --showformat '${Version}\n' containernetworking-plugins | grep -oE '^[0-9.]+' ;;
    nerdctl) echo 2.2.1 ;;
  esac
}

# make_releases: the tarballs and programs that kubespray downloads.
make_releases() {
  local architecture=$1 folder=$work/containerd-release
  mkdir -p "$releases" "$folder/bin" "$work/nerdctl"
  cp "$(command -v containerd)" "$(command -v containerd-shim-runc-v2)" "$(command -v ctr)" "$folder/bin/"
  tar -C "$folder" -cf - bin | gzip -1 >"$releases/containerd-$(version_of containerd)-linux-$architecture.tar.gz"
  cp "$(PATH=$PATH:/usr/sbin command -v runc)" "$releases/runc.$architecture"
  tar -C /usr/lib/cni -cf - ./bridge ./host-local ./loopback ./portmap |
    gzip -1 >"$releases/cni-plugins-linux-$architecture-v$(version_of cni).tgz"
  # nerdctl's "ps" from what ctr knows: names are a label of the container.
  cat >"$work/nerdctl/nerdctl" <<'END'
#!/bin/sh
# A stand-in for nerdctl in tests: "ps" and "--version", by means of ctr.
case ${1-} in
  ps)
    ctr -n default task ls | awk '$3 == "RUNNING" { print $1 }' | while read -r id; do
      ctr -n default containers info "$id" | sed -n 's/.*"nerdctl\/name": "\(.*\)".*/\1/p' | head -n 1
    done
    ;;
  --version | version) echo "nerdctl version 2.2.1 (stand-in)" ;;
  *) echo "nerdctl (stand-in): only ps is known" >&2; exit 1 ;;
esac
END
  chmod 755 "$work/nerdctl/nerdctl"
  tar -C "$work/nerdctl" -czf "$releases/nerdctl-$(version_of nerdctl)-linux-$architecture.tar.gz" nerdctl
}

# make_tree FROM TO: kubespray's tree of the tests, with what the admin host needs, and Ansible without collections.
make_tree() {
  local checksums=$2/roles/kubespray_defaults/vars/main/checksums.yml
  local downloads=$2/roles/kubespray_defaults/defaults/main/download.yml
  cp -R "$1" "$2"
  sed -i 's/^ansible==.*/ansible-core==2.17.14/' "$2/requirements.txt"
  sed -i "s/'2\.2\.1'/'$(version_of containerd)'/" "$checksums"
  add_download runc 'opencontainers/runc/releases/download/v@/runc.{{ image_arch }}'
  add_download nerdctl 'containerd/nerdctl/releases/download/v@/nerdctl-@-linux-{{ image_arch }}.tar.gz'
  add_download cni 'containernetworking/plugins/releases/download/v@/cni-plugins-linux-{{ image_arch }}-v@.tgz'
}
# add_download NAME PATH: a component as kubespray describes it; @ in the path is its version.
add_download() {
  local name=$1 url=${2//@/"{{ $1_version }}"} architecture
  echo "${name}_checksums:" >>"$checksums"
  for architecture in amd64 arm64; do
    printf "  %s:\n    '%s': sha256:%s\n" "$architecture" "$(version_of "$name")" \
      "$(echo "$name $architecture" | sha256sum | cut -d ' ' -f 1)"
  done >>"$checksums"
  sed -i "/^downloads:/r /dev/stdin" "$downloads" <<END
  $name:
    enabled: true
    file: true
    checksum: "{{ ${name}_checksums[image_arch][${name}_version] }}"
    url: "{{ ${name}_download_url }}"
    groups: [k8s_cluster]

END
  cat >>"$downloads" <<END
${name}_version: "{{ (${name}_checksums['amd64'] | dict2items)[0].key }}"
${name}_download_url: "{{ github_url }}/$url"
END
}

# with_libraries FOLDER PROGRAM PLACE: the program at that place in the folder, with the libraries that it loads.
with_libraries() {
  local library
  install -D -m 755 "$2" "$1$3"
  { ldd "$2" 2>&1 || true; } | { grep -oE '/[^ ]+' || true; } | while read -r library; do
    [[ -e $1$library ]] || install -D -m 755 "$library" "$1$library"
  done
}

# make_admin_images: nginx and the registry, from this machine's programs, with the paths of the official images.
make_admin_images() {
  local folder=$work/image-nginx
  with_libraries "$folder" "$(PATH=$PATH:/usr/sbin command -v nginx)" /usr/sbin/nginx
  with_libraries "$folder" "$(command -v busybox)" /bin/busybox
  mkdir -p "$folder"/{etc/nginx/conf.d,run,tmp,var/lib/nginx,var/log/nginx,usr/share/nginx/html,var/cache/nginx}
  cp /etc/nginx/mime.types "$folder/etc/nginx/"
  printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' >"$folder/etc/passwd"
  printf 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n' >"$folder/etc/group"
  chmod 1777 "$folder/tmp"
  "$end_to_end/make-images" folder "$registry" -- "docker.io/library/nginx:1.29.4" "$folder" nginx -g 'daemon off;' || return 1
  folder=$work/image-registry
  with_libraries "$folder" "$(command -v docker-registry)" /bin/registry
  mkdir -p "$folder"/{etc/distribution,etc/docker/registry,etc/ssl/certs,tmp,var/lib/registry}
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$folder/etc/passwd"
  "$end_to_end/make-images" folder "$registry" -- "docker.io/library/registry:3.0.0" "$folder" registry serve /etc/distribution/config.yml
}

# make_ansible_base: what an image with Ansible is assembled on: this machine's Python and ssh client.
make_ansible_base() {
  local folder=$work/image-python python library program
  python=$(readlink -f /usr/bin/python3)
  library=$(cd / && "$python" -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
  with_libraries "$folder" "$python" "$python"
  ln -s "$(basename "$python")" "$folder/usr/bin/python3"
  for program in ssh sftp; do with_libraries "$folder" "$(command -v "$program")" "/usr/bin/$program"; done
  with_libraries "$folder" "$(command -v busybox)" /bin/busybox
  ln -s busybox "$folder/bin/sh"
  mkdir -p "$folder"/{etc,tmp,root,run,dev,proc,sys} "$folder$library"
  tar -C "$library" -cf - --exclude=__pycache__ --exclude=test --exclude=idlelib --exclude='config-3*' . |
    tar -C "$folder$library" -xf -
  for library in "$library"/lib-dynload/*.so; do with_libraries "$folder" "$library" "$library"; done
  cp /etc/os-release "$folder/etc/"
  # Without it Ansible does not start.
  mkdir -p "$folder/usr/lib/locale" && cp -R /usr/lib/locale/C.utf8 "$folder/usr/lib/locale/"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$folder/etc/passwd"
  printf 'root:x:0:\n' >"$folder/etc/group"
  "$end_to_end/make-images" folder "$registry" -- "$ansible_base" "$folder" python3
}

# make_images WANTED...: those that kubespray wants, one of every kind that registries serve, some that have layers in
# common, and those that the admin host runs.
make_images() {
  local backing=$work/backing.tsv
  "$end_to_end/make-images" named "$registry" "$@" >"$work/wanted.tsv" &&
    "$end_to_end/make-images" kinds "$registry" --megabytes 3 >"$work/kinds.tsv" &&
    "$end_to_end/make-images" many "$registry" --megabytes 12 --images 10 >"$backing" &&
    sed "s,$registry/,quay.io/," "$backing" >"$work/many.tsv" &&
    make_admin_images >"$work/admin.tsv" && make_ansible_base >"$work/base.tsv" || return 1
  # The tests' nginx of the kinds has become the one that runs.
  cat "$work/wanted.tsv" <(grep -v library/nginx:1.29.4 "$work/kinds.tsv") "$work/many.tsv" "$work/admin.tsv" >"$images_made"
}
