# Registries for the program under test: sourced by run, after world.sh.
#
# One docker-registry holds all images. nginx in front of it plays the public registries, each with its own manners:
# Docker Hub wants a token that is good for one repository, and tells its limits; it and quay.io send clients to other
# hosts for blobs, which refuse the token as object storage does; registry.k8s.io sends clients elsewhere for all.

# shellcheck shell=bash disable=SC2154 # $work, $address and hosts come from run and world.sh

hosts+=(
  registry-1.docker.io auth.docker.io production.cloudflare.docker.com
  quay.io cdn01.quay.io registry.k8s.io us-west1-docker.pkg.dev objects.amazonaws.com
  ghcr.io gcr.io mcr.microsoft.com swr.ap-southeast-1.myhuaweicloud.com
)
registry=$address:5000 # plain HTTP, for those who fill it
# shellcheck disable=SC2034 # for images.sh
registry_log=$work/nginx/registry.log

# registry_servers: what stands before the registry, for nginx's configuration.
registry_servers() {
  cat <<END
upstream registry { server $registry; keepalive 16; }
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Authorization "";
map \$arg_scope \$granted {
  "~*^repository(:|%3A)(?<owner>[^/%:]+)(/|%2F)(?<image_name>[^/%:]+)(:|%3A)pull\$" "\$owner/\$image_name";
}
server {
  listen $address:443 ssl http2;
  server_name quay.io registry.k8s.io us-west1-docker.pkg.dev ghcr.io gcr.io mcr.microsoft.com
    swr.ap-southeast-1.myhuaweicloud.com;
  access_log registry.log short;
  set \$blobs "";
  if (\$host = quay.io) { set \$blobs cdn01.quay.io; }
  if (\$host = us-west1-docker.pkg.dev) { set \$blobs objects.amazonaws.com; }
  location / {
    if (\$host = registry.k8s.io) { return 307 https://us-west1-docker.pkg.dev\$request_uri; }
    proxy_pass http://registry;
  }
  location ~ ^/v2/.+/blobs/ {
    if (\$host = registry.k8s.io) { return 307 https://us-west1-docker.pkg.dev\$request_uri; }
    if (\$blobs) { return 307 https://\$blobs\$request_uri?signature=test; }
    proxy_pass http://registry;
  }
}
server {
  listen $address:443 ssl http2;
  server_name cdn01.quay.io objects.amazonaws.com production.cloudflare.docker.com;
  access_log registry.log short;
  if (\$http_authorization) { return 400; }
  if (\$arg_signature = "") { return 403; }
  location / { proxy_pass http://registry; }
}
server {
  listen $address:443 ssl http2;
  server_name auth.docker.io;
  access_log registry.log short;
  location = /token {
    default_type application/json;
    if (\$arg_service != registry.docker.io) { return 400; }
    if (\$granted = "") { return 400; }
    return 200 '{"token": "for-\$granted", "expires_in": 300}';
  }
}
server {
  listen $address:443 ssl http2;
  server_name registry-1.docker.io;
  access_log registry.log short;
  set \$challenge 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"';
  location = /v2/ { add_header Www-Authenticate \$challenge always; return 401; }
  location ~ ^/v2/(?<image>.+)/(?<part>manifests|blobs|tags)/ {
    set \$wanted "Bearer for-\$image";
    if (\$http_authorization != \$wanted) {
      add_header Www-Authenticate '\$challenge,scope="repository:\$image:pull"' always;
      return 401 '{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}';
    }
    if (\$part = blobs) { return 307 https://production.cloudflare.docker.com\$request_uri?signature=test; }
    add_header RateLimit-Limit "100;w=21600" always;
    add_header RateLimit-Remaining "97;w=21600" always;
    proxy_pass http://registry;
  }
}
END
}

# start_registry: returns when it answers.
start_registry() {
  mkdir -p "$work/registry"
  cat >"$work/registry/config.yml" <<END
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry/data}}
http: {addr: "$registry", secret: only-for-tests}
END
  docker-registry serve "$work/registry/config.yml" >"$work/registry/log" 2>&1 &
  registry_pid=$!
  until curl -q --noproxy "*" -sf -o "$work/registry/answer" "http://$registry/v2/"; do
    kill -0 "$registry_pid" || return 1
    sleep 0.1
  done
}

stop_registry() {
  [[ -z ${registry_pid-} ]] || { kill -TERM "$registry_pid" && wait "$registry_pid"; } || true
}
