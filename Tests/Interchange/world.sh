# What the public hosts serve here beside what Tests/Node has: a nerdctl that can do what the shell project asks of it,
# images of nginx and the registry with settings in them and with the shell project's tags, its kubespray. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

fill_interchange_world() {
  check "settings in the images, as the official ones have" settings_in_images
  check "releases, a kubespray tree for them, and images of every kind" fill_world
  check "images with the tags of the shell project" more_admin_images
}

eval "$(declare -f make_releases | sed '1s/make_releases/make_releases_of_node/')"
make_releases() {
  make_releases_of_node "$1" && cp "$interchange/nerdctl" "$work/nerdctl/nerdctl" && chmod 755 "$work/nerdctl/nerdctl" &&
    tar -C "$work/nerdctl" -czf "$releases/nerdctl-$(version_of nerdctl)-linux-$1.tar.gz" nerdctl &&
    tar -C "$work/nerdctl" -czf "$releases/plain-1.0.tar.gz" nerdctl # nobody publishes its checksum
}

settings_in_images() {
  mkdir -p "$work"/image-nginx/etc/nginx "$work"/image-registry/etc/{distribution,docker/registry} || return 1
  cat >"$work/image-nginx/etc/nginx/nginx.conf" <<'END'
user www-data;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  include /etc/nginx/conf.d/*.conf;
}
END
  tee "$work"/image-registry/etc/{distribution,docker/registry}/config.yml <<'END'
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/registry}}
http: {addr: ":5000"}
END
}

more_admin_images() {
  "$end_to_end/make-images" folder "$registry" -- "docker.io/library/nginx:$(pinned NGINX)" "$work/image-nginx" nginx -g 'daemon off;' &&
    "$end_to_end/make-images" folder "$registry" -- "docker.io/library/registry:$(pinned REGISTRY)" "$work/image-registry" \
      registry serve /etc/docker/registry/config.yml
}

# make_our_bundle: without images that are named by digest, which the shell project cannot tag.
make_our_bundle() {
  sed -i /@/d "$site/imagelists/images.txt"
  run download_all
  check "download-all makes our bundle" exits 0
  local images
  mapfile -t images < <(cat "$bundle"/images/*.list | grep -v '^#' | grep . | sort -u)
  check "what its images are in the public registries" our_configurations "${images[@]}"
}
our_configurations() { "$interchange/check-images" configurations "$registry" "$@" >"$work/our-configurations"; }
