# The world around the program under test: sourced by run.
#
# A private mount namespace in which the public hosts are an address of this machine and a certificate authority of our
# own is trusted; nginx stands in for them, with the redirects that they make. Nothing outside the namespace changes.

# shellcheck shell=bash disable=SC2154 # $work comes from run

hosts=(
  github.com codeload.github.com release-assets.githubusercontent.com raw.githubusercontent.com
  dl.k8s.io cdn.dl.k8s.io storage.googleapis.com get.helm.sh
)
# An address of its own for each run, so that two runs, or a web server of this machine, are not in the way.
address=127.$((BASHPID / 200 % 200 + 20)).$((BASHPID % 200 + 20)).1
origin=$work/origin
access_log=$work/nginx/access.log

# make_certificates: an authority, and a certificate of all hosts signed by it.
make_certificates() {
  local names
  names=$(printf 'DNS:%s,' "${hosts[@]}")
  mkdir -p "$work/tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=kubespray-offline test authority" \
    -keyout "$work/tls/ca.key" -out "$work/tls/ca.pem"
  openssl req -newkey rsa:2048 -nodes -subj "/CN=github.com" -keyout "$work/tls/key.pem" -out "$work/tls/request.pem"
  openssl x509 -req -in "$work/tls/request.pem" -CA "$work/tls/ca.pem" -CAkey "$work/tls/ca.key" -CAcreateserial \
    -days 2 -extfile <(echo "subjectAltName=${names%,}") -out "$work/tls/cert.pem"
}

# enter_world: from here on the hosts are here and the authority is trusted, for this process and its children.
enter_world() {
  local bundle
  { cat /etc/hosts; for host in "${hosts[@]}"; do echo "$address $host"; done; } >"$work/hosts"
  mount --bind "$work/hosts" /etc/hosts
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    [[ -e $bundle ]] || continue
    bundle=$(realpath "$bundle")
    cat "$bundle" "$work/tls/ca.pem" >"$work/tls/bundle.pem"
    mount --bind "$work/tls/bundle.pem" "$bundle"
  done
}

# start_origin: returns when nginx listens. A file NAME below $work/slow/HOST/PATH slows that path to 4 MB/s.
start_origin() {
  mkdir -p "$work/nginx" "$origin" "$work/slow"
  registry_servers >"$work/nginx/registries.conf"
  cat >"$work/nginx/nginx.conf" <<END
user root root;
pid nginx.pid;
error_log error.log;
# One worker writes the log in the order of the requests: see log_fence.
worker_processes 1;
events { worker_connections 512; }
http {
  default_type application/octet-stream;
  log_format short '\$status \$request_method \$host\$uri \$body_bytes_sent range=\$http_range auth=\$http_authorization at=\$msec took=\$request_time';
  access_log access.log short;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ssl_certificate $work/tls/cert.pem;
  ssl_certificate_key $work/tls/key.pem;
  root $origin/\$host;
  include registries.conf;
  server { listen $address:80; location = /fence { access_log off; return 204; } }
  server {
    listen $address:443 ssl http2 default_server;
    if (-f $work/slow/\$host\$uri) { set \$limit_rate 4m; }
  }
  server {
    listen $address:443 ssl http2;
    server_name github.com;
    location ~ /releases/download/ { return 302 https://release-assets.githubusercontent.com\$request_uri?sig=test; }
    location ~ /archive/ { return 302 https://codeload.github.com\$request_uri; }
  }
  server {
    listen $address:443 ssl http2;
    server_name release-assets.githubusercontent.com codeload.github.com;
    root $origin/github.com;
  }
  server {
    listen $address:443 ssl http2;
    server_name dl.k8s.io;
    location / { return 302 https://cdn.dl.k8s.io\$request_uri; }
  }
  server {
    listen $address:443 ssl http2;
    server_name cdn.dl.k8s.io;
    root $origin/dl.k8s.io;
    if (-f $work/slow/dl.k8s.io\$uri) { set \$limit_rate 4m; }
  }
}
END
  nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" -e "$work/nginx/error.log"
}

stop_origin() {
  local pid
  pid=$(cat "$work/nginx/nginx.pid" 2>/dev/null) || return 0
  kill -TERM "$pid" && tail --pid="$pid" -f /dev/null
}

# log_mark: the number of log lines so far. log_since MARK: the lines after it.
log_mark() { log_fence; wc -l <"$access_log"; }
log_since() { log_fence; tail -n "+$(($1 + 1))" "$access_log"; }
# The worker writes the line of a request before it turns to the next one, so after this all earlier lines are there.
log_fence() { curl -q --noproxy '*' -sS "http://$address/fence"; }

# serve_kubespray TREE VERSION: the tarball that GitHub would make of a tag.
serve_kubespray() {
  local folder=$origin/github.com/kubernetes-sigs/kubespray/archive/refs/tags
  mkdir -p "$folder"
  tar -C "$1" --exclude=.git --transform "s,^\.,kubespray-$2,S" -czf "$folder/v$2.tar.gz" .
}
