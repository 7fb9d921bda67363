"""Stands in for kubeadm: judges what kubespray has written for it, and makes what kubeadm makes of it: keys, certificates,
kubeconfigs, manifests, and the objects of the cluster. What it does not know it refuses.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

import images
import pki
import setup
import sharing
import yaml
from client import Cluster
from setup import Configuration, refuse

ADMIN = "/etc/kubernetes/admin.conf"
BOOTSTRAP = "/etc/kubernetes/bootstrap-kubelet.conf"
SECRETS = "/api/v1/namespaces/kube-system/secrets"
# Flags that may be given to a command, beside --config.
FLAGS = {
    "config validate": set(),
    "config images list": set(),
    "init": {"--ignore-preflight-errors", "--skip-phases", "--upload-certs"},
    "init phase upload-certs": {"--upload-certs"},
    "init phase upload-config all": set(),
    "init phase addon kube-proxy": set(),
    "init phase control-plane all": set(),
    "init phase certs apiserver": set(),
    "join": {"--ignore-preflight-errors", "--skip-phases"},
    "token create": {"--kubeconfig"},
    "token delete": {"--kubeconfig"},
    "upgrade apply": {"-y", "--skip-phases"},
    "upgrade node": {"--skip-phases"},
    "certs check-expiration": {"-o"},
    "certs renew all": set(),
}
SWITCHES = {"--upload-certs", "-y"}


def parse(arguments: list[str]) -> tuple[str, list[str], dict[str, str]]:
    """The command, its words beside that, and its flags."""
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            words.append(argument)
        elif "=" in argument or argument in SWITCHES:
            name, _, value = argument.partition("=")
            flags[name] = value
        else:
            flags[argument] = next(rest, "")
    for length in (4, 3, 2, 1):
        command = " ".join(words[:length])
        if len(words) >= length and command in FLAGS:
            if unknown := set(flags) - FLAGS[command] - {"--config"}:
                refuse(f"{command}: {', '.join(sorted(unknown))} is not known")
            return command, words[length:], flags
    refuse(f"{' '.join(words)} is not known")


def token(cluster: Cluster, value: str = "") -> str:
    identifier, _, secret = (value or f"{secrets.token_hex(3)}.{secrets.token_hex(8)}").partition(".")
    described = {"name": f"bootstrap-token-{identifier}", "namespace": "kube-system"}
    data = {"token-id": identifier, "token-secret": secret, "usage-bootstrap-authentication": "true"}
    secret_object = {"apiVersion": "v1", "kind": "Secret", "metadata": described, "stringData": data}
    cluster.apply(SECRETS, {**secret_object, "type": "bootstrap.kubernetes.io/token"})
    return f"{identifier}.{secret}"


def initialize(configuration: Configuration, flags: dict[str, str]) -> None:
    skipped = flags.get("--skip-phases", "").split(",")
    setup.check_etcd(configuration)
    setup.write_certificates(configuration)
    setup.write_kubeconfigs(configuration)
    setup.write_manifests(configuration)
    setup.start_kubelet({"kind": "InitConfiguration"})
    cluster = Cluster(ADMIN)
    cluster.wait(120)
    setup.upload(configuration, cluster)
    setup.mark_control_plane(configuration, cluster)
    join = token(cluster)
    setup.publish(configuration, cluster)
    if "--upload-certs" in flags:
        sharing.upload(configuration, cluster)
    if "addon/kube-proxy" not in skipped:
        images.kube_proxy(configuration, cluster)
    if "addon/coredns" not in skipped:
        refuse("the addon coredns is not made here")
    print("Your Kubernetes control-plane has initialized successfully! (stand-in)")
    hashed = pki.fingerprint(f"{configuration.folder}/ca.crt")
    print(
        f"  kubeadm join {configuration.endpoint} --token {join} --discovery-token-ca-cert-hash {hashed} --control-plane \\"
    )
    print(f"        --certificate-key {configuration.certificate_key}")


def join(version: str, file: str) -> None:
    """What kubeadm does on a worker: it makes sure of the API server, and leaves the rest to kubelet. On a control plane it
    makes of what the cluster keeps what it makes on the first one.
    """
    joining = setup.documents(file)["JoinConfiguration"]
    discovery = joining["discovery"]
    if "bootstrapToken" not in discovery:
        refuse("only discovery by a token is known here")
    given = discovery["bootstrapToken"]
    endpoint, authority = given["apiServerEndpoint"], joining.get("caCertPath", "/etc/kubernetes/pki/ca.crt")
    setup.fetch_authority(endpoint, authority)
    if given.get("caCertHashes") and pki.fingerprint(authority) not in given["caCertHashes"]:
        refuse(f"the authority of {endpoint} has none of the hashes that {file} names")
    access = {"token": discovery["tlsBootstrapToken"]}
    pki.write(BOOTSTRAP, pki.kubeconfig(f"https://{endpoint}", authority, "tls-bootstrap-token-user", access))
    configuration = None
    if "controlPlane" in joining:
        cluster = Cluster(BOOTSTRAP)
        configuration = Configuration.of_cluster(cluster, joining, version)
        prepare(configuration, cluster)
        # Kubelet of a control plane asks the API server beside it, from here on (ControlPlaneKubeletLocalMode); there is
        # one once it has started the static pods.
        local = pki.kubeconfig(f"https://{configuration.own_endpoint}", authority, "tls-bootstrap-token-user", access)
        pki.write(BOOTSTRAP, local)
    setup.start_kubelet({"kind": "JoinConfiguration"})
    setup.wait_for("/etc/kubernetes/kubelet.conf", 120)
    os.remove(BOOTSTRAP)
    if configuration:
        setup.mark_control_plane(configuration, setup.own_server(configuration))
    print("This node has joined the cluster (stand-in)")


def prepare(configuration: Configuration, cluster: Cluster) -> None:
    """A control plane beside those that there are."""
    sharing.download(configuration, cluster)
    setup.check_etcd(configuration, is_joining=True)
    setup.write_certificates(configuration)
    setup.write_kubeconfigs(configuration, is_first=False)
    setup.write_manifests(configuration)


def upgrade(version: str, words: list[str], flags: dict[str, str]) -> None:
    configuration = Configuration.of_file(flags["--config"], version)
    if (
        words != [f"v{version}"]
        or configuration.documents["UpgradeConfiguration"]["apply"]["kubernetesVersion"] != words[0]
    ):
        refuse(f"upgrade to {' '.join(words)}: this is v{version}, and {flags['--config']} has to name it")
    setup.check_etcd(configuration)
    if configuration.documents["UpgradeConfiguration"]["apply"].get("certificateRenewal"):
        setup.write_certificates(configuration)
    setup.write_manifests(configuration)
    setup.wait_for_version(Cluster(ADMIN), version)
    images.kube_proxy(configuration, Cluster(ADMIN))
    print(f'SUCCESS! A control plane node of your cluster was upgraded to "v{version}" (stand-in)')


def upgrade_other(configuration: Configuration) -> None:
    """A control plane that is not the first one."""
    setup.check_etcd(configuration)
    if configuration.documents["UpgradeConfiguration"]["node"].get("certificateRenewal"):
        setup.write_certificates(configuration)
    setup.write_manifests(configuration)
    setup.wait_for_version(setup.own_server(configuration), configuration.version)
    print("The control plane of this node has been upgraded (stand-in)")


def certs(command: str) -> None:
    if command == "certs check-expiration":
        folder = "/etc/kubernetes/ssl"
        for name in sorted(each for each in os.listdir(folder) if each.endswith(".crt")):
            print(name, pki.openssl("x509", "-noout", "-enddate", "-in", f"{folder}/{name}").decode().strip())
        return
    file = "/etc/kubernetes/kubeadm-config.yaml"
    version = setup.documents(file)["ClusterConfiguration"]["kubernetesVersion"][1:]
    setup.write_certificates(Configuration.of_file(file, version))


def phase(command: str, configuration: Configuration) -> None:
    if command == "init phase control-plane all":
        setup.write_manifests(configuration)
    elif command == "init phase certs apiserver":
        setup.write_certificates(configuration)
    elif command == "init phase upload-config all":
        setup.upload(configuration, Cluster(ADMIN))
    elif command == "init phase addon kube-proxy":
        images.kube_proxy(configuration, Cluster(ADMIN))
    else:
        sharing.upload(configuration, Cluster(ADMIN))
        print("[upload-certs] Using certificate key:")
        print(configuration.certificate_key)


def main(version: str, arguments: list[str]) -> None:
    if arguments[:1] in (["version"], ["--version"]):
        print(f"v{version}")
        return
    command, words, flags = parse(arguments)
    if command.startswith("token"):
        cluster = Cluster(flags.get("--kubeconfig", ADMIN))
        if command == "token create":
            print(token(cluster, *words))
        else:
            cluster.ask("DELETE", f"{SECRETS}/bootstrap-token-{words[0].partition('.')[0]}")
    elif command.startswith("certs"):
        certs(command)
    else:
        configured(version, command, words, flags)


def configured(version: str, command: str, words: list[str], flags: dict[str, str]) -> None:
    """The commands that read a configuration."""
    if not os.path.exists(flags.get("--config", "")):
        refuse(f"{command}: there is no configuration {flags.get('--config', '')!r}")
    if command == "config validate":
        setup.documents(flags["--config"])
    elif command == "config images list":
        print("\n".join(images.of_configuration(Configuration.of_file(flags["--config"], version))))
    elif command == "join":
        join(version, flags["--config"])
    elif command == "init":
        initialize(Configuration.of_file(flags["--config"], version), flags)
    elif command == "upgrade apply":
        upgrade(version, words, flags)
    elif command == "upgrade node":
        upgrade_other(Configuration.of_file(flags["--config"], version))
    else:
        phase(command, Configuration.of_file(flags["--config"], version))


def run(version: str, arguments: list[str]) -> None:
    try:
        main(version, arguments)
    except (OSError, KeyError, yaml.YAMLError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None)
        sys.exit(f"kubeadm (stand-in): {error!r}{': ' + said.decode() if said else ''}")
