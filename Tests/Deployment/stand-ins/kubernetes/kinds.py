"""The kinds of objects that the API server knows, and what it tells of them when kubectl looks for them (discovery)."""

from __future__ import annotations

from typing import NamedTuple

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

# Group and version, plural, kind, "+" where objects lie in a namespace, short names.
BUILT_IN = """
v1 namespaces Namespace - ns
v1 nodes Node - no
v1 persistentvolumes PersistentVolume - pv
v1 pods Pod + po
v1 services Service + svc
v1 configmaps ConfigMap + cm
v1 secrets Secret +
v1 serviceaccounts ServiceAccount + sa
v1 endpoints Endpoints + ep
v1 events Event + ev
v1 limitranges LimitRange + limits
v1 resourcequotas ResourceQuota + quota
v1 persistentvolumeclaims PersistentVolumeClaim + pvc
v1 replicationcontrollers ReplicationController + rc
apps/v1 deployments Deployment + deploy
apps/v1 daemonsets DaemonSet + ds
apps/v1 statefulsets StatefulSet + sts
apps/v1 replicasets ReplicaSet + rs
batch/v1 jobs Job +
batch/v1 cronjobs CronJob + cj
rbac.authorization.k8s.io/v1 roles Role +
rbac.authorization.k8s.io/v1 rolebindings RoleBinding +
rbac.authorization.k8s.io/v1 clusterroles ClusterRole -
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding -
policy/v1 poddisruptionbudgets PodDisruptionBudget + pdb
storage.k8s.io/v1 storageclasses StorageClass - sc
storage.k8s.io/v1 csidrivers CSIDriver -
storage.k8s.io/v1 csinodes CSINode -
storage.k8s.io/v1 volumeattachments VolumeAttachment -
networking.k8s.io/v1 ingresses Ingress + ing
networking.k8s.io/v1 ingressclasses IngressClass -
networking.k8s.io/v1 networkpolicies NetworkPolicy + netpol
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition - crd,crds
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration -
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration -
apiregistration.k8s.io/v1 apiservices APIService -
scheduling.k8s.io/v1 priorityclasses PriorityClass - pc
coordination.k8s.io/v1 leases Lease +
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler + hpa
certificates.k8s.io/v1 certificatesigningrequests CertificateSigningRequest - csr
discovery.k8s.io/v1 endpointslices EndpointSlice +
node.k8s.io/v1 runtimeclasses RuntimeClass -
"""


class Kind(NamedTuple):
    """One kind in one version; objects are kept by group and plural, whatever the version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def built_in() -> list[Kind]:
    kinds = []
    for line in filter(None, BUILT_IN.splitlines()):
        api_version, plural, kind, scope, *short = line.split()
        group, _, version = api_version.rpartition("/")
        kinds.append(
            Kind(group, version, plural, kind, scope == "+", tuple(",".join(short).split(",")) if short else ())
        )
    return kinds


def of_definition(definition: dict) -> list[Kind]:
    """The kinds that a CustomResourceDefinition adds, one for each version that it serves."""
    spec = definition["spec"]
    names, namespaced = spec["names"], spec["scope"] == "Namespaced"
    return [
        Kind(
            spec["group"],
            version["name"],
            names["plural"],
            names["kind"],
            namespaced,
            tuple(names.get("shortNames", [])),
        )
        for version in spec["versions"]
        if version.get("served", True)
    ]


def groups(kinds: list[Kind]) -> dict:
    """The answer to /apis."""
    versions: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.group and kind.version not in versions.setdefault(kind.group, []):
            versions[kind.group].append(kind.version)
    found = []
    for group, names in versions.items():
        entries = [{"groupVersion": f"{group}/{name}", "version": name} for name in names]
        found.append({"name": group, "versions": entries, "preferredVersion": entries[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def resources(kinds: list[Kind], api_version: str) -> dict | None:
    """The answer to /api/v1 and /apis/GROUP/VERSION; None for one that there is not."""
    found = []
    for kind in (kind for kind in kinds if kind.api_version == api_version):
        entry = {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
        }
        found.append({**entry, "verbs": VERBS, "shortNames": list(kind.short)})
        found.append({**entry, "name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]})
        if kind.plural == "pods":
            eviction = {"name": "pods/eviction", "group": "policy", "version": "v1", "kind": "Eviction"}
            found.append({**entry, **eviction, "verbs": ["create"]})
    return (
        {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": found}
        if found
        else None
    )
